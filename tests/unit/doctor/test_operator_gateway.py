from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from mizzen.doctor import operator_gateway as judge
from mizzen.doctor.links import Name
from mizzen.doctor.operator_check import Check
from mizzen.doctor.operator_sight import EnvoySight, Sight
from mizzen.http3.eligibility import Reason
from mizzen.http3.shedding import CALM
from mizzen.model.shedding import Shedding
from mizzen.status import (
    EnvoyStatus,
    ListenerStatus,
    MirrorStatus,
    PortStatus,
    ProblemValue,
    Rejected,
    ServiceStatus,
    Turn,
)

MIRROR = MirrorStatus(
    server="https.443.https.web.shop",
    listener="udp_0.0.0.0_8443",
    expected=True,
    resource="Gateway/shop/web",
    origin="gw.yaml:10:5",
    hosts=("shop.test",),
    number=443,
    port=443,
)
HTTPS = PortStatus(name="https", port=443, target="8443")
HTTP3 = PortStatus(name="http3", port=443, protocol="UDP", target="8443")


def changed(value: Any, **fields: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(value, **fields)


def service(*ports: PortStatus, **fields: Any) -> ServiceStatus:
    return ServiceStatus(
        resource="Service/shop/web", origin="svc.yaml:9:3", field="spec.ports", ports=ports, **fields
    )


def envoy(**fields: Any) -> EnvoySight:
    return EnvoySight(name="web.shop", status=EnvoyStatus(**{"version": "1.40.0", "synced": True, **fields}))


def sight(*problems: ProblemValue, nodes: int = 0) -> Sight:
    return Sight(where="mizzen up in /run/mizzen", problems=problems, nodes=nodes)


CLUSTER = sight(nodes=1)


def only(checks: Iterable[Check]) -> Check:
    (found,) = checks
    return found


# --- the Service ------------------------------------------------------------------------------------


def test_a_service_without_udp_is_told_with_the_line_to_add() -> None:
    found = only(judge.services(CLUSTER, [envoy(services=(service(HTTPS),))], MIRROR))
    assert (found.ok, found.links) == (False, (Name.UDP,))
    assert found.said == "Service/shop/web (svc.yaml:9:3) opens 443/TCP and not 443/UDP"
    assert found.remedy == (
        "add this line to spec.ports of Service/shop/web (svc.yaml:9:3): "
        "- {name: http3, port: 443, protocol: UDP, targetPort: 8443}"
    )


def test_udp_that_leads_elsewhere_is_told_with_the_target_of_tcp() -> None:
    wrong = changed(HTTP3, target="9443")
    found = only(judge.services(CLUSTER, [envoy(services=(service(HTTPS, wrong),))], MIRROR))
    assert (found.ok, found.links) == (False, (Name.UDP,))
    assert found.said.endswith("leads 443/TCP to 8443, and 443/UDP to 9443")
    assert found.remedy == "set targetPort: 8443 at its port http3 (svc.yaml:9:3)"


def test_a_service_that_opens_both_is_fine_also_where_they_are_two() -> None:
    two = (service(HTTPS), changed(service(HTTP3), resource="Service/shop/web-udp"))
    for services in ((service(HTTPS, HTTP3),), two):
        found = only(judge.services(CLUSTER, [envoy(services=services)], MIRROR))
        assert found.ok is True
        assert found.said.endswith("opens 443/TCP and 443/UDP, both to 8443")


def test_a_server_without_tcp_needs_udp_alone_and_another_needs_both() -> None:
    udp_alone = envoy(services=(service(HTTP3),))
    only_udp = only(judge.services(CLUSTER, [udp_alone], MIRROR))
    assert (only_udp.ok, only_udp.said[-25:]) == (True, "web (svc.yaml:9:3) opens 443/UDP to 8443"[-25:])
    twin = only(judge.services(CLUSTER, [udp_alone], changed(MIRROR, tcp_listener="0.0.0.0_8443")))
    assert (twin.ok, twin.links) == (False, (Name.TCP,))
    assert twin.remedy.endswith("- {name: https, port: 443, protocol: TCP, targetPort: 8443}")


def test_a_host_that_is_switched_off_is_told_with_who_did_it() -> None:
    wild = changed(
        MIRROR, hosts=("*.shop.test",), hosts_off=("old.shop.test",), choice="old.shop.test switched off by X"
    )
    found = only(judge.switched_off(wild, "OLD.shop.test."))
    assert (found.ok, found.links) == (False, (Name.ALT_SVC,))
    assert found.said.endswith("other hosts of its server are: old.shop.test switched off by X")
    assert not list(judge.switched_off(wild, "new.shop.test"))


def test_where_no_service_leads_to_the_port_nothing_is_broken() -> None:
    assert only(judge.services(CLUSTER, [envoy()], MIRROR)).ok is None
    found = only(judge.services(CLUSTER, [envoy(services=(service(changed(HTTPS, port=80)),))], MIRROR))
    assert (found.ok, found.links) == (None, ())
    assert "does not open 443" in found.said


def test_a_load_balancer_that_refused_udp_breaks_that_link_alone() -> None:
    why = "the load balancer of the Service shop/web does not carry 443/UDP: MixedProtocolNotSupported"
    refused = service(HTTPS, changed(HTTP3, refused=why), type="LoadBalancer", addresses=("192.0.2.7",))
    ports, udp, addresses = judge.services(CLUSTER, [envoy(services=(refused,))], MIRROR)
    assert (ports.ok, addresses.ok) == (True, True)
    assert (udp.ok, udp.links) == (False, (Name.UDP,))
    assert why in udp.said
    assert "192.0.2.7" in addresses.said


def test_a_load_balancer_without_an_address_is_told_where_there_is_a_cluster() -> None:
    pending = service(HTTPS, HTTP3, type="LoadBalancer")
    assert only(judge.services(sight(), [envoy(services=(pending,))], MIRROR)).check == "service"
    _, found = judge.services(CLUSTER, [envoy(services=(pending,))], MIRROR)
    assert (found.ok, found.check) == (None, "load-balancer")
    assert "has no address yet" in found.said


@pytest.mark.parametrize(
    ("policy", "nodes", "ok", "told"),
    [
        ("Local", 3, True, "keeps the addresses of clients"),
        ("Cluster", 1, None, "hides the addresses of clients"),
        ("", 3, None, "may send a client that moves to another Pod (3 nodes)"),
    ],
)
def test_what_nodes_make_of_addresses(policy: str, nodes: int, ok: bool | None, told: str) -> None:
    one = envoy(services=(service(HTTPS, HTTP3, type="LoadBalancer", external_traffic_policy=policy),))
    found = only(judge.client_addresses(sight(nodes=nodes), [one], MIRROR))
    assert found.ok is ok
    assert told in found.said


def test_where_there_are_no_nodes_nothing_hides_addresses() -> None:
    one = envoy(services=(service(HTTPS, HTTP3, type="LoadBalancer"),))
    assert not list(judge.client_addresses(sight(), [one], MIRROR))


# --- the mirror -------------------------------------------------------------------------------------


def test_a_missing_mirror_names_the_object_and_what_its_problem_says_to_do() -> None:
    reason = "Envoy does not keep to ecdhCurves over QUIC"
    problem = ProblemValue(
        severity="warning",
        code="H3-003",
        resource="Gateway/shop/web",
        message=f"there is no HTTP/3 mirror: {reason}",
        hint="HTTP/3 would be weaker.",
    )
    none = changed(MIRROR, listener="", reason=reason)
    found = only(judge.mirror(sight(problem), none))
    assert (found.ok, found.links) == (False, (Name.ALT_SVC, Name.UDP))
    assert found.said == f"there is no HTTP/3 mirror: {reason} (Gateway/shop/web (gw.yaml:10:5))"
    assert found.remedy == "HTTP/3 would be weaker."
    udp = Check(check="service", ok=False, said="no UDP", remedy="add this line", links=(Name.UDP,))
    both = only(judge.mirror(sight(problem), none, udp))
    assert (both.links, both.remedy) == ((Name.ALT_SVC,), "HTTP/3 would be weaker.")
    closed = changed(
        none, reason=Reason.NO_UDP_PORT.value, announced="clear", promised_until="2026-11-27T09:00:00Z"
    )
    found = only(judge.mirror(sight(problem), closed, udp))
    assert found.remedy == "add this line"
    assert found.said.endswith(
        "; answers say clear; clients may remember a promise until 2026-11-27T09:00:00Z"
    )


def test_a_mirror_that_nobody_wants_says_how_to_want_it() -> None:
    none = changed(MIRROR, listener="", expected=False, reason="HTTP/3 is switched off")
    assert "mizzen.dev/http3" in only(judge.mirror(sight(), none)).remedy
    lingering = changed(
        MIRROR, expected=False, announced="clear", state="withdrawn", reason="it is switched off"
    )
    assert "mizzen.dev/http3" in only(judge.mirror(sight(), lingering)).remedy


def test_a_gateway_that_is_short_of_cpu_says_what_it_needs() -> None:
    wanted = Shedding(cpu_budget=80, recover_at=60)
    start = datetime(2026, 11, 26, tzinfo=UTC)
    shed = CALM.judged(92, wanted, start).judged(92, wanted, start + wanted.after)
    found = only(
        judge.mirror(sight(), changed(MIRROR, announced="clear", state="withdrawn", reason=shed.reason))
    )
    assert "CPU 92 % of a budget of 80 %" in found.said
    assert found.remedy.startswith("more CPU or replicas")


def test_what_else_is_wrong_with_the_gateway_is_told_once() -> None:
    def problem(code: str, severity: str, resource: str = "Gateway/shop/web") -> ProblemValue:
        return ProblemValue(
            code=code, severity=severity, resource=resource, message="is wrong", hint="mend it"
        )

    told = (
        problem("H3-001", "warning"),
        problem("TLS-001", "info"),
        problem("TLS-001", "error", "Gateway/a/b"),
    )
    assert not list(judge.problems(sight(*told), MIRROR))
    error, warning = judge.problems(sight(problem("TLS-001", "error"), problem("H3-006", "warning")), MIRROR)
    assert (error.ok, error.remedy) == (False, "mend it")
    assert error.said == "TLS-001 is wrong (Gateway/shop/web)"
    assert warning.ok is None


def test_the_life_of_an_announcement_is_told() -> None:
    announced = changed(
        MIRROR,
        announced='h3=":443"; ma=300',
        state="announced",
        stage=2,
        stages=4,
        since="2026-11-26T07:00:00Z",
        next_stage="2026-11-26T07:10:00Z",
        history=(
            Turn(at="2026-11-26T06:59:00Z", state="announced", stage=1, reason="proven"),
            Turn(at="2026-11-26T07:00:00Z", state="announced", stage=2, reason="it has held for 60 s"),
        ),
        promised_until="2026-11-26T08:00:00Z",
    )
    found = only(judge.mirror(sight(), announced))
    assert (found.ok, found.check) == (True, "announcement")
    assert found.said == (
        'announced: h3=":443"; ma=300, stage 2 of 4, since 2026-11-26T07:00:00Z (it has held for 60 s), the next stage at '
        "2026-11-26T07:10:00Z, clients may remember it until 2026-11-26T08:00:00Z"
    )


def test_a_withdrawn_announcement_says_until_when_and_why() -> None:
    withdrawn = changed(
        MIRROR,
        announced="clear",
        state="withdrawn",
        reason="the request over HTTP/3 timed out",
        promised_until="2026-11-27T09:00:00Z",
    )
    found = only(judge.mirror(sight(), withdrawn))
    assert (found.ok, found.links) == (False, (Name.ALT_SVC,))
    assert found.said == (
        "answers say clear: the request over HTTP/3 timed out (Gateway/shop/web (gw.yaml:10:5)); "
        "clients may remember a promise until 2026-11-27T09:00:00Z"
    )
    leaving = changed(
        MIRROR, state="leaving", history=(Turn(at="t", state="leaving", reason="it is switched off"),)
    )
    assert only(judge.mirror(sight(), leaving)).said.startswith(
        "answers say nothing of HTTP/3: it is switched off"
    )
    withheld = changed(MIRROR, state="withheld", reason="the mirror is being tried")
    assert only(judge.mirror(sight(), withheld)).said.startswith("answers say nothing of HTTP/3: the mirror")


# --- what Envoy holds -------------------------------------------------------------------------------


def test_what_envoy_refused_is_the_link_whose_listener_it_is() -> None:
    listeners = (
        ListenerStatus(name="0.0.0.0_8443", address="0.0.0.0", port=8443, transport="tcp"),
        ListenerStatus(name="udp_0.0.0.0_8443", address="0.0.0.0", port=8443, transport="quic"),
    )

    def refused(message: str) -> Check:
        one = Rejected(resource="Gateway/shop/web", origin="gw.yaml:1:1", message=message)
        return only(judge.rejected([envoy(listeners=listeners, rejected=(one,)), envoy(rejected=(one,))]))

    udp = refused("Envoy cannot open the port of LDS udp_0.0.0.0_8443: cannot bind '0.0.0.0:8443'")
    assert (udp.ok, udp.links) == (False, (Name.UDP,))
    assert udp.said.startswith("Gateway/shop/web (gw.yaml:1:1): ")
    assert refused("Envoy refused LDS 0.0.0.0_8443: no").links == (Name.TCP,)
    assert refused("Envoy refused RDS http.8080: no").links == ()
    assert only(judge.rejected([envoy()])).ok is True


def test_a_port_that_somebody_has_breaks_the_link_whose_port_it_is() -> None:
    def taken(place: str) -> Check:
        problem = ProblemValue(
            code="PORT-001",
            resource="Gateway/shop/web",
            origin="gw.yaml:11:7",
            message=f"{place} cannot be opened: it is in use by pid 7 (nginx)",
            hint="End that process, or use another port.",
        )
        return only(judge.ports([envoy(occupied=(problem,)), envoy(occupied=(problem,))], MIRROR))

    assert (taken("UDP 0.0.0.0:8443").links, taken("UDP 0.0.0.0:8443").remedy) == (
        (Name.UDP,),
        "End that process, or use another port.",
    )
    assert taken("TCP 0.0.0.0:8443").links == (Name.TCP,)
    assert taken("UDP 0.0.0.0:9443").links == ()


def test_an_envoy_that_is_away_or_behind_is_told() -> None:
    away, behind, fine = envoy(version=""), envoy(synced=False, reason="no LDS yet"), envoy()
    checks = list(judge.connections([away, behind, fine]))
    assert [one.ok for one in checks] == [False, False, True]
    assert "not connected" in checks[0].said
    assert checks[1].said.endswith("no LDS yet")
    lost = only(one for one in judge.connections([envoy(lost="Envoy cannot open TCP 8443")]) if one.links)
    assert (lost.ok, lost.links) == (False, (Name.TCP,))


def test_the_port_that_clients_are_told_to_dial_is_compared_with_the_urls() -> None:
    assert judge.server(MIRROR, 443).ok is True
    other = judge.server(changed(MIRROR, port=8443), 443)
    assert other.ok is None
    assert other.remedy.endswith("--external-port 443:8443")
    chosen = judge.server(changed(MIRROR, choice="switched on by HTTP3Policy/shop/web"), 443)
    assert chosen.said.endswith("serves it (switched on by HTTP3Policy/shop/web)")
    gone = MirrorStatus(server="https.443.old", promised_until="2026-11-27T09:00:00Z")
    asked = Sight(where="mizzen up", envoys=(envoy(mirrors=(MIRROR, gone)),))
    unknown = judge.unknown_host(asked, "nobody.test", 443)
    assert (unknown.ok, unknown.links) == (None, (Name.TLS,))
    assert "hosts there: shop.test" in unknown.said
    assert "remember: https.443.old (until 2026-11-27T09:00:00Z)" in unknown.said
