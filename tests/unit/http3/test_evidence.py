"""What is known of the mirrors of several Envoys."""

from dataclasses import replace

from mizzen.http3.evidence import together
from tests.unit.http3.harness import FAILED, PROVEN, TRYING, UNKNOWN


def test_of_several_envoys_one_that_fails_counts_for_all():
    assert together([PROVEN, FAILED, TRYING]) == replace(FAILED, everywhere=False)
    assert together([FAILED]) == replace(FAILED, everywhere=False)
    assert together([UNKNOWN, TRYING]) == replace(TRYING, everywhere=False)
    assert together([]) == UNKNOWN


def test_one_that_has_just_come_is_told_apart_from_one_that_fails():
    assert together([UNKNOWN, TRYING, PROVEN]) == replace(PROVEN, everywhere=False)
    assert together([PROVEN, PROVEN]) is PROVEN
