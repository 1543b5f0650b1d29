from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from mizzen.pipeline import Settings
from mizzen.plan.compare import changes
from mizzen.plan.effects import Effect
from mizzen.resolve.context import ByService
from tests.harness.plans import QUIC, SITE, TCP, surface

AT = datetime(2026, 1, 1, tzinfo=UTC)
CALLED, SERVER = "istio-ingressgateway.istio-system", "alt-svc/https.443.https.web.istio-system"
HTTPS = "port: {number: 443, name: https, protocol: HTTPS}"
OPERATOR = """---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "false"}}}
"""


def effects(old: str, new: str) -> Mapping[tuple[str | None, str | None], str]:
    found = changes(surface(old), surface(new), {})
    return {(one.listener, one.host): one.effect.value for one in found}


def both(effect: str, host: str = "a.example.com") -> Mapping[tuple[str, str], str]:
    return {(TCP, host): effect, (QUIC, host): effect}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("192.0.2.1", "192.0.2.2", both("endpoints")),
        ("http: [{route", "http: [{timeout: 1s, route", both("routes")),
        ("mode: SIMPLE", "mode: SIMPLE, minProtocolVersion: TLSV1_3", {(TCP, "a.example.com"): "reconnects"}),
        ("name: https,", "name: https-new,", both("reconnects")),
        ("hosts: [a.example.com]\n  gateways", "hosts: [b.example.com]\n  gateways", both("unserved")),
        (
            HTTPS,
            HTTPS.replace("443", "8443"),
            {(TCP, "a.example.com"): "reconnects", (QUIC, "a.example.com"): "withdraws-h3"},
        ),
    ],
)
def test_what_happens_to_a_host(old: str, new: str, expected: Mapping[tuple[str, str], str]) -> None:
    assert SITE.count(old) == 1
    assert effects(SITE, SITE.replace(old, new)) == expected


def test_nothing_happens_where_nothing_differs() -> None:
    assert effects(SITE, "# a comment\n" + SITE) == {}


def test_a_gateway_that_comes_opens_and_one_that_goes_is_unserved() -> None:
    one = surface(SITE)

    assert {(c.listener, c.host): c.effect for c in changes(None, one, {})} == both(Effect.OPENS)
    assert {(c.listener, c.host): c.effect for c in changes(one, None, {})} == both(Effect.UNSERVED)
    assert list(changes(None, None, {})) == []


def test_a_mirror_that_goes_is_withdrawn_until_clients_have_forgotten() -> None:
    old, new = surface(SITE), surface(SITE + OPERATOR)
    [one] = changes(old, new, {(CALLED, SERVER): AT})

    assert (one.listener, one.host, one.effect, one.until) == (QUIC, "a.example.com", Effect.WITHDRAWS_H3, AT)


def test_a_host_that_goes_is_remembered_too() -> None:
    found = changes(surface(SITE), None, {(CALLED, SERVER): AT})

    assert {one.listener: one.until for one in found} == {TCP: None, QUIC: AT}


def test_routes_of_a_host_that_reconnects_are_told_beside() -> None:
    new = SITE.replace("name: https,", "name: https-new,").replace(
        "http: [{route", "http: [{timeout: 1s, route"
    )
    found = {one.listener: one for one in changes(surface(SITE), surface(new), {})}

    assert found[TCP].effect is Effect.RECONNECTS
    assert ("chain", TCP, "a.example.com") in found[TCP].facets
    assert ("host", TCP, "a.example.com") in found[TCP].others


def test_labels_of_a_gateway_start_no_envoy_anew() -> None:
    labelled = (
        OPERATOR.replace('"false"', '"true"')
        + """  components:
    ingressGateways:
    - {name: istio-ingressgateway, label: {istio: ingressgateway, team: a}}
"""
    )
    assert effects(SITE + labelled, SITE + labelled.replace("team: a", "team: b")) == {}


def of_service(port: int) -> str:
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: istio-ingressgateway, namespace: istio-system, labels: {{istio: ingressgateway}}}}
spec:
  selector: {{istio: ingressgateway}}
  ports: [{{name: https, port: {port}, targetPort: 8443}}, {{name: h3, port: {port}, targetPort: 8443, protocol: UDP}}]
"""


def test_a_port_of_the_service_that_goes_leaves_the_listener_to_nobody() -> None:
    """On Kubernetes clients dial the ports of the Service."""
    settings = Settings(external_ports=ByService.SERVICE)
    moved = SITE.replace("number: 443", "number: 444") + of_service(444)
    old, new = (surface(site, settings=settings) for site in (SITE + of_service(443), moved))
    found = {(one.listener, one.host): one for one in changes(old, new, {})}

    assert {found[name, None].effect for name in (TCP, QUIC)} == {Effect.UNSERVED}
    assert found[TCP, None].facets == {("dialled", "tcp", "8443")}
    assert surface(SITE + of_service(443)).dialled == {}


def test_who_a_gateway_is_to_the_mesh_is_its_certificate() -> None:
    mutual = SITE.replace("mode: SIMPLE, credentialName: web", "mode: ISTIO_MUTUAL")
    domain = OPERATOR.replace('"false"', '"true"') + "  meshConfig: {trustDomain: one.test}\n"
    old, new = surface(mutual + domain), surface(mutual + domain.replace("one.test", "two.test"))
    found = {one.listener: one for one in changes(old, new, {})}

    assert ("identity",) in found[TCP].facets | found[TCP].others
