"""What is written down is what a later control plane goes on with."""

import json
from datetime import timedelta

import pytest

from mizzen.http3.written import from_json, to_json
from tests.unit.http3.harness import DAY, FAILED, H3, NOW, PROVEN, an_announcement, life


def test_a_later_control_plane_takes_up_where_the_former_was():
    stored = json.loads(json.dumps(to_json(life(PROVEN))))
    found = from_json(stored).follow((an_announcement(),), NOW + timedelta(minutes=5))
    assert found.value == H3
    assert found.step(FAILED, NOW + timedelta(minutes=5)).value == "clear"


def test_what_was_written_before_promises_had_ports_is_understood():
    until = (NOW + DAY).isoformat()
    old = {"phase": "announced", "promisedUntil": until, "port": 443, "listener": "udp_0.0.0.0_8443"}
    assert from_json(old).follow((an_announcement(),), NOW).value == H3
    without = from_json({**old, "phase": "withdrawn", "port": None})
    assert without.follow((an_announcement(),), NOW).value == "clear"


@pytest.mark.parametrize(
    "stored",
    [
        {"443": {}},
        {"443": {"phase": "merry", "promisedUntil": None, "listener": ""}},
        {"443": {"phase": "announced", "promisedUntil": "soon", "listener": ""}},
        {"443": {"phase": "announced", "promisedUntil": None, "listener": "", "maxAge": "1"}},
        {"a": {"phase": "announced", "promisedUntil": None, "listener": ""}},
        {"phase": "announced", "promisedUntil": None, "port": "443", "listener": ""},
        {"443": None},
        [],
        None,
    ],
)
def test_what_was_not_stored_by_us_is_refused(stored):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        from_json(stored)
