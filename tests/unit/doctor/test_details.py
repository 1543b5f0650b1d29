"""What is looked at behind a handshake: nothing where there was none."""

from concurrent.futures import ThreadPoolExecutor

from mizzen.doctor.asking import Client, Options
from mizzen.doctor.details import measured
from tests.harness.small_walk import without_quic


def test_without_a_handshake_nothing_is_asked() -> None:
    walk = without_quic()
    with ThreadPoolExecutor(1) as pool:
        assert measured(walk, Client(walk.target, Options()), pool.submit) is walk
