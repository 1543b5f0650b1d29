"""Where a control plane of the network listens."""

import pytest

from mizzen.plane.network import Listening


@pytest.mark.parametrize(
    ("listening", "ports"),
    [
        (Listening(), {15012, 15013}),
        (Listening(secure="[::]:9443", join="", plaintext="127.0.0.1:9080"), {9443, 9080}),
    ],
)
def test_its_ports_are_those_that_are_open(listening, ports):
    assert listening.ports == ports
