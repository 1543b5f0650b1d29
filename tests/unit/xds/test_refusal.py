"""Refusals as Envoy 1.40 words them (recorded)."""

import pytest

from mizzen.xds.refusal import reason

RECORDED = {
    'goo.gle/debugonly   \nname: "l"\naddress {\n  socket_address {\n    address: "127.0.0.1"\n'
    "    port_value: 70000\n  }\n}\n: Proto constraint validation failed (ListenerValidationError.Address: embedded "
    "message failed validation | caused by AddressValidationError.SocketAddress: embedded message failed validation "
    "| caused by SocketAddressValidationError.PortValue: value must be less than or equal to 65535)": (
        "address.socket_address.port_value: value must be less than or equal to 65535"
    ),
    'goo.gle/debugstr  \nname: "t"\nvirtual_hosts {\n  name: "v"\n  domains: "*"\n  routes {\n    match {\n'
    '      prefix: "/"\n    }\n    redirect {\n      path_redirect: "a\\nb"\n    }\n  }\n}\n: Proto constraint '
    "validation failed (RouteConfigurationValidationError.VirtualHosts[0]: embedded message failed validation | "
    "caused by VirtualHostValidationError.Routes[0]: embedded message failed validation | caused by "
    "RouteValidationError.Redirect: embedded message failed validation | caused by "
    'RedirectActionValidationError.PathRedirect: value does not match regex pattern "^[^\\x00\\n\\r]*$")': (
        "virtual_hosts[0].routes[0].redirect.path_redirect: "
        'value does not match regex pattern "^[^\\x00\\n\\r]*$"'
    ),
    "Error adding/updating listener(s) l: goo.gle/debugproto   \ndelay {\n  percentage {\n    numerator: 1\n  }\n}\n"
    ": Proto constraint validation failed (HTTPFaultValidationError.Delay: embedded message failed validation | "
    'caused by field: "fault_delay_secifier", reason: is required)\n': (
        "Error adding/updating listener(s) l: delay.fault_delay_secifier: is required"
    ),
    "Invalid duration: Duration out-of-range: goo.gle/debugonly   \nseconds: 9223372036\n": (
        "Invalid duration: Duration out-of-range: seconds: 9223372036"
    ),
    "Error adding/updating listener(s) l: missing ): (\n": (
        "Error adding/updating listener(s) l: missing ): ("
    ),
    "The table size of maglev must be prime number": "The table size of maglev must be prime number",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), RECORDED.items())
def test_the_reason_is_kept_and_what_was_refused_is_not(text: str, why: str) -> None:
    assert reason(text) == why


def test_each_of_several_refusals_keeps_its_reason() -> None:
    text = (
        "Error adding/updating listener(s) a: goo.gle/debugonly \nstat_prefix: \"\"\n: Proto constraint validation "
        "failed (HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)\n\n"
        "Error adding/updating listener(s) b: Invalid duration: Expected positive duration: goo.gle/debugstr \n"
        "seconds: -5\n\nError adding/updating listener(s) c: malformed IP address: x\n"
    )  # fmt: skip

    assert [line for line in reason(text).splitlines() if line] == [
        "Error adding/updating listener(s) a: stat_prefix: value length must be at least 1 characters",
        "Error adding/updating listener(s) b: Invalid duration: Expected positive duration: seconds: -5",
        "Error adding/updating listener(s) c: malformed IP address: x",
    ]


def test_a_long_dump_without_a_reason_is_not_passed_on() -> None:
    assert reason("Bad thing: goo.gle/debugonly \n" + "a {\n" * 1000) == (
        "Bad thing: (what it refused is not shown)"
    )
