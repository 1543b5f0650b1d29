"""What a name server says, held against what is justified."""

from dataclasses import replace

from mizzen.dns.compared import Difference, compared, differences, names
from mizzen.dns.justified import by_name, justified
from tests.unit.dns.test_justified import BINDING, EAST

FOUND = justified(
    [
        EAST,
        replace(EAST, server="off", binding=replace(BINDING, hosts=("off.example.com",)), reason="it is off"),
    ]
)
OURS = {name: tuple(one.rdata for one in some) for name, some in by_name(FOUND.listed).items()}


def test_hosts_that_must_have_none_are_asked_for_too() -> None:
    assert names(FOUND) == ("off.example.com.", "www.example.com.")


def test_what_is_alike_is_no_difference() -> None:
    assert compared(FOUND, OURS, OURS) == ()


def test_what_is_missing_and_what_should_not_be_there() -> None:
    found = compared(FOUND, {"off.example.com.": ("1 . alpn=h3",), "www.example.com.": ()}, OURS)
    assert found == (
        Difference(name="off.example.com.", missing=(), surplus=("1 . alpn=h3",)),
        Difference(name="www.example.com.", missing=OURS["www.example.com."], surplus=()),
    )
    assert differences(found).splitlines() == [
        "- off.example.com. IN HTTPS 1 . alpn=h3",
        f"+ www.example.com. IN HTTPS {OURS['www.example.com.'][0]}",
    ]
