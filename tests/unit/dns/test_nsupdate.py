"""Records as commands for nsupdate."""

from dataclasses import replace

from mizzen.dns.justified import justified
from mizzen.dns.nsupdate import nsupdate
from tests.unit.dns.test_justified import BINDING, EAST


def test_two_requests_for_each_name_and_nothing_without_a_condition() -> None:
    other = replace(BINDING, hosts=("*.example.org",), port=443)
    found = justified([EAST, replace(EAST, server="other", binding=other)])
    text = nsupdate(found, owner="me", is_proven=True, server="192.0.2.53 53", zone="example.com.")
    lines = [line for line in text.splitlines() if not line.startswith(";")]
    assert lines[0] == "server 192.0.2.53 53"
    for request in "\n".join(lines[1:]).split("send"):
        if "update" in request:
            assert "prereq" in request and "zone example.com." in request
    assert lines.count("send") == 4


def test_a_name_without_room_for_its_registration_is_told_of() -> None:
    long = ".".join(["a" * 60] * 4 + ["example"])
    found = justified([replace(EAST, binding=replace(BINDING, hosts=(long,)))])
    text = nsupdate(found, owner="me", is_proven=True)
    assert "update" not in text.replace("nsupdate", "") and "too long" in text
