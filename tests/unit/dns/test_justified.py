"""Which records follow from servers, and what is told where there is none."""

from dataclasses import replace
from datetime import timedelta

from mizzen.dns.justified import Served, justified
from mizzen.model.dns import Binding

BINDING = Binding(
    hosts=("www.example.com",), port=443, alpn=("h3", "h2", "http/1.1"), addresses=("192.0.2.1",)
)
EAST = Served(gateway="east.istio-system", server="https.443.https.web.shop", binding=BINDING)
WEST = replace(EAST, gateway="west.istio-system")


def test_gateways_that_say_the_same_have_one_record() -> None:
    found = justified([WEST, EAST])
    assert [str(one.record) for one in found.listed] == [
        'www.example.com. 60 IN HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1'
    ]
    assert found.listed[0].because == (EAST, WEST)
    assert found.left_out == ()


def test_gateways_that_differ_have_one_each_with_one_ttl() -> None:
    other = replace(WEST, binding=replace(BINDING, addresses=("192.0.2.2",), ttl=timedelta(seconds=20)))
    found = justified([EAST, other])
    assert [(one.record.ttl, one.record.ipv4hint) for one in found.listed] == [
        (20, ("192.0.2.1",)),
        (20, ("192.0.2.2",)),
    ]
    assert all("shortest of 20, 60" in one.notes[0] for one in found.listed)


def test_a_gateway_without_http3_takes_the_record_of_a_host_that_may_lead_there() -> None:
    lacking = replace(WEST, reason="UDP is closed")
    found = justified([EAST, lacking])
    assert found.listed == ()
    assert [one.reason for one in found.left_out] == [
        "west.istio-system serves it too, without HTTP/3: UDP is closed",
        "UDP is closed",
    ]


def test_records_that_lead_elsewhere_by_name_do_not_mind() -> None:
    led = replace(EAST, binding=replace(BINDING, target="east.example.net."))
    found = justified([led, replace(WEST, reason="UDP is closed")])
    assert [one.record.target for one in found.listed] == ["east.example.net."]


def test_another_port_without_http3_does_not_matter() -> None:
    other = replace(WEST, binding=replace(BINDING, port=8443), reason="UDP is closed")
    assert len(justified([EAST, other]).listed) == 1


def test_a_host_that_is_off_is_left_out_alone() -> None:
    some = replace(
        BINDING, hosts=("off.example.com", "www.example.com"), off={"off.example.com": "it is off"}
    )
    found = justified([replace(EAST, binding=some)])
    assert [one.record.name for one in found.listed] == ["www.example.com."]
    assert [(one.host, one.reason) for one in found.left_out] == [("off.example.com", "it is off")]


def test_http3_alone_says_so() -> None:
    only = replace(BINDING, alpn=("h3",), has_default=False)
    found = justified([replace(EAST, binding=only)])
    assert found.listed[0].record.rdata == '1 . alpn="h3" no-default-alpn ipv4hint=192.0.2.1'


def test_a_zone_holds_its_own_names_alone() -> None:
    some = replace(BINDING, hosts=("*", "www.example.com", "www.example.org"))
    found = justified([replace(EAST, binding=some)]).within("example.org.")
    assert [one.record.name for one in found.listed] == ["www.example.org."]
    assert found.left_out == ()
