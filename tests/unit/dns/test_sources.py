"""Servers by the status of what runs."""

from mizzen.dns.justified import justified
from mizzen.dns.sources import Wishes, of_status
from mizzen.status import BindingStatus, EnvoyStatus, MirrorStatus

DNS = BindingStatus(is_listed=True, alpn=("h3", "h2", "http/1.1"), addresses=("192.0.2.1",), ttl=30)
MIRROR = MirrorStatus(server="https.443.https.web.shop", hosts=("www.example.com",), port=443, dns=DNS)


def envoy(mirror: MirrorStatus, version: str = "1.40", key: str = "gw.istio-system") -> EnvoyStatus:
    return EnvoyStatus(key=key, version=version, mirrors=(mirror,))


def test_what_is_announced_now_is_listed() -> None:
    found = justified(of_status({"gw": envoy(MIRROR)}))
    assert [str(one.record) for one in found.listed] == [
        'www.example.com. 30 IN HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1'
    ]


def test_one_envoy_that_does_not_announce_speaks_for_its_gateway() -> None:
    other = MirrorStatus(
        server=MIRROR.server, hosts=MIRROR.hosts, port=443, reason="it fails", dns=BindingStatus(alpn=("h3",))
    )
    found = justified(of_status({"a": envoy(MIRROR), "b": envoy(other, key="gw.istio-system~2")}))
    assert found.listed == ()
    assert [one.reason for one in found.left_out] == ["it fails"]


def test_an_envoy_that_is_gone_says_nothing() -> None:
    gone = envoy(MirrorStatus(server=MIRROR.server, dns=BindingStatus()), version="")
    assert len(justified(of_status({"a": envoy(MIRROR), "b": gone})).listed) == 1


def test_a_server_for_every_host_is_told_of_and_one_of_an_older_version_is_passed_over() -> None:
    every = MirrorStatus(server="https.443.https.all.shop", hosts=(), port=443, dns=DNS)
    old = MirrorStatus(server="https.443.https.old.shop", hosts=("old.example.com",), port=443)
    found = justified(of_status({"a": envoy(every), "b": envoy(old)}))
    assert [one.host for one in found.left_out] == ["*"] and not found.listed


def test_single_hosts_below_a_wildcard_are_told_apart() -> None:
    dns = BindingStatus(
        is_listed=True, alpn=("h3",), also=("off.example.com",), off={"off.example.com": "it is off"}
    )
    wild = MirrorStatus(server="https.443.https.web.shop", hosts=("*.example.com",), port=443, dns=dns)
    found = justified(of_status({"gw": envoy(wild)}))
    assert [one.record.name for one in found.listed] == ["*.example.com."]
    assert [(one.host, one.reason) for one in found.left_out] == [("off.example.com", "it is off")]
    assert "off.example.com is without HTTP/3" in found.listed[0].notes[-1]


def test_whoever_asks_may_say_otherwise() -> None:
    wishes = Wishes(addresses=("2001:db8::5",), target="edge.example.net.")
    (served,) = of_status({"gw": envoy(MIRROR)})
    found = justified([wishes.applied(served)])
    assert found.listed[0].record.rdata == '1 edge.example.net. alpn="h3,h2,http/1.1" ipv6hint=2001:db8::5'
