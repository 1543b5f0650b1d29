"""What is known of the mirrors of several Envoys."""

from mizzen.http3.evidence import together
from tests.unit.http3.harness import FAILED, PROVEN, TRYING, UNKNOWN


def test_of_several_envoys_one_that_fails_counts_for_all():
    assert together([PROVEN, FAILED, TRYING]) is FAILED
    assert together([UNKNOWN, TRYING, PROVEN]) is PROVEN
    assert together([UNKNOWN, TRYING]) is TRYING
    assert together([]) == UNKNOWN
