"""By which server id a balancer finds an Envoy."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzen.http3.server_ids import LONGEST, chosen, derived, environment, server_id, variable


def test_of_four_bytes_it_is_the_address_of_the_pod() -> None:
    assert derived("10.1.2.3", "gateway-7d9f.istio-system", 4) == bytes([10, 1, 2, 3])


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "fd00::7", "", "nowhere"])
def test_where_that_tells_nobody_apart_the_name_does(address: str) -> None:
    ids = {derived(address, name, 4) for name in ("one.shop", "other.shop")}

    assert len(ids) == 2
    assert all(len(one) == 4 for one in ids)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", b""),
        ("0a000001", bytes([10, 0, 0, 1])),
        (" 0x0A 00 ", bytes([10, 0])),
        ("a", None),
        ("pod-1", None),
        ("00" * (LONGEST + 1), None),
    ],
)
def test_what_is_written_is_hexadecimal(text: str, found: bytes | None) -> None:
    assert chosen(text) == found


def test_one_that_is_written_has_its_length_and_no_other() -> None:
    """The other lengths stay open: Envoy refuses a listener that asks for them, and nothing is led astray."""
    assert environment("0a01", "10.0.0.7", "gateway.shop") == {variable(2): "CgE="}


def test_one_that_cannot_be_read_is_none_of_any_length() -> None:
    assert environment("pod-1", "10.0.0.7", "gateway.shop") == {}


@given(length=st.integers(1, LONGEST), address=st.ip_addresses().map(str), name=st.text(max_size=9))
def test_each_length_that_a_listener_may_ask_for_is_there(length: int, address: str, name: str) -> None:
    variables = environment("", address, name)

    assert len(variables) == LONGEST
    assert b64decode(variables[variable(length)]) == server_id("", address, name, length)
    assert len(server_id("", address, name, length)) == length
