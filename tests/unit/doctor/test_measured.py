"""Values of what was measured."""

from mizzen.doctor.measured import Where
from tests.harness.small_walk import no_visit, visit


def test_an_address_is_told_with_its_port() -> None:
    assert (str(Where("192.0.2.1", 443)), str(Where("::1", 443))) == ("192.0.2.1:443", "[::1]:443")


def test_a_visit_connected_when_its_handshake_took_a_time() -> None:
    assert visit().connected and not no_visit().connected
