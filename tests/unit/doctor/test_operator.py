from dataclasses import replace

import msgspec

from mizzen.doctor.links import Link, Name, merged, ordered
from mizzen.doctor.operator import Explained, explained, judged
from mizzen.doctor.operator_sight import EnvoyListener, EnvoySight, Sight
from mizzen.doctor.table import plain
from mizzen.status import (
    BindingStatus,
    EnvoyStatus,
    ListenerStatus,
    MirrorStatus,
    PortStatus,
    ProblemValue,
    ServiceStatus,
)

REASON = "the gateway's Service does not open the port for UDP"
NONE = MirrorStatus(
    server="https.443.https.web.shop",
    expected=True,
    reason=REASON,
    resource="Gateway/shop/web",
    origin="gw.yaml:10:5",
    hosts=("shop.test",),
    number=443,
    port=443,
    tcp_listener="0.0.0.0_443",
)
SERVICE = ServiceStatus(
    resource="Service/shop/web",
    origin="svc.yaml:9:3",
    field="spec.ports",
    ports=(PortStatus(name="https", port=443, target="8443"),),
)
HINT = ProblemValue(
    code="H3-001", severity="warning", resource="Gateway/shop/web", message=REASON, hint="Add it."
)


def sight(mirror: MirrorStatus, **fields: object) -> Sight:
    listeners = (ListenerStatus(name="udp_1", address="0.0.0.0", port=1, transport="quic"),)
    status = EnvoyStatus(
        version="1.40.0", synced=True, mirrors=(mirror,), services=(SERVICE,), listeners=listeners
    )
    return Sight(
        where="mizzen up in /run/mizzen",
        envoys=(EnvoySight(name="web.shop", status=status, **fields),),  # type: ignore[arg-type]
        problems=(HINT,),
    )


def test_a_service_without_udp_explains_what_a_client_sees() -> None:
    found = judged(sight(NONE), "shop.test", 443)
    seen = ordered(
        "https://shop.test/",
        [
            Link(Name.ALT_SVC, False, "no answer announces HTTP/3"),
            Link(Name.UDP, False, "silent", "open the firewall"),
        ],
    )
    report = merged(seen, found.findings)

    assert report.broken is not None
    assert report.broken.link is Name.ALT_SVC
    assert report.broken.said.startswith(
        f"there is no HTTP/3 mirror: {REASON} (Gateway/shop/web (gw.yaml:10:5))"
    )
    udp = next(one for one in report.links if one.link is Name.UDP)
    assert udp.said == "Service/shop/web (svc.yaml:9:3) opens 443/TCP and not 443/UDP; silent"
    assert udp.remedy.startswith(
        "add this line to spec.ports of Service/shop/web (svc.yaml:9:3): - {name: http3"
    )
    assert [one.check for one in found.checks] == ["envoy", "rejected", "server"]


def test_a_server_without_tcp_is_closed_there_because_that_is_meant() -> None:
    mirror = msgspec.structs.replace(
        NONE, reason="", listener="udp_1", tcp_listener="", choice="without TCP by X"
    )
    closed = ordered("https://shop.test/", [Link(Name.TCP, False, "refused", "start it")])
    report = merged(closed, judged(sight(mirror), "shop.test", 443).findings)
    assert report.links[1] == Link(Name.TCP, None, "refused; it has HTTP/3 alone (without TCP by X)")
    both = msgspec.structs.replace(mirror, tcp_listener="0.0.0.0_443", choice="")
    assert merged(closed, judged(sight(both), "shop.test", 443).findings).links[1].ok is False


def test_servers_that_dns_may_tell_of_are_told_once_for_all_envoys() -> None:
    binding = BindingStatus(is_listed=True, off={"b.test": "chosen"})
    mirror = msgspec.structs.replace(NONE, dns=binding)
    alone = sight(mirror)
    two = replace(alone, envoys=(alone.envoys[0], replace(alone.envoys[0], name="second.shop")))
    found = judged(two, "shop.test", 443)
    assert [one.check for one in found.checks].count("server") == 1


def test_a_mirror_that_is_announced_is_looked_at_in_each_envoy() -> None:
    mirror = msgspec.structs.replace(NONE, reason="", listener="udp_1", announced='h3=":443"; ma=86400')
    listener = EnvoyListener(name="udp_1", active=True)
    found = judged(sight(mirror, listeners=(listener,)), "shop.test", 443)

    assert [(one.check, one.ok) for one in found.checks] == [
        ("envoy", True),
        ("rejected", True),
        ("server", True),
        ("announcement", True),
        ("listener", True),
        ("datagrams", True),
        ("stateless-resets", True),
    ]
    # The Service still opens no UDP: told, though the client may come another way.
    assert [(one.link, one.ok) for one in found.findings] == [(Name.UDP, False)]


def test_a_report_is_told_with_what_is_known_at_the_gateway() -> None:
    report = ordered("https://shop.test/", [Link(Name.UDP, False, "silent")])
    alone = Explained(report=report)
    assert alone.to_json() == report.to_json()
    assert alone.section(80, plain, whole=True) == ""

    found = explained(report, sight(NONE), "shop.test", 443)
    value = found.to_json()
    assert list(value) == ["url", "healthy", "broken", "links", "gateway"]
    assert value["gateway"][0] == {
        "check": "envoy",
        "ok": True,
        "said": "holds the newest configuration: web.shop",
        "remedy": "",
    }
    lines = found.section(100, plain, whole=True).splitlines()
    assert lines[1] == "gateway, as mizzen up in /run/mizzen knows it:"
    assert lines[2] == "ok      envoy               holds the newest configuration: web.shop"
    assert found.section(100, plain, whole=False) == ""  # all is fine that is about no link


def test_a_host_that_nobody_serves_is_told_at_the_handshake() -> None:
    found = judged(sight(NONE), "nobody.test", 443)
    assert [(one.link, one.ok) for one in found.findings] == [(Name.TLS, None)]
