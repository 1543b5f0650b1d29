"""Where redirects lead, and at which port."""

import pytest

from mizzen.model.route import Fail, Redirect
from mizzen.resolve.context import ByService
from mizzen.resolve.gateway_model import resolve

SECURE = """
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [%s]
    tls: {mode: SIMPLE, credentialName: shop-tls}
"""
SITE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [%s]
    tls: {httpsRedirect: %s}
"""
SERVICE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: istio-system}
spec:
  hosts: [shop.test]
  gateways: [gw]
  http:
  - redirect: %s
"""


def shown(routes):
    """(does it ask for a port in Host, host, port) of each route."""
    return [
        (one.match.names_port, one.action.host, one.action.port)
        if isinstance(one.action, Redirect)
        else type(one.action)
        for one in routes
    ]


def of(gateway, pair, text, external_ports=()):
    found = gateway(text + pair("shop.test").secret("shop-tls"), external_ports=external_ports)
    [table] = [one for one in resolve(found.ctx).route_tables if one.name.startswith("http.")]
    [host] = table.hosts.values()
    return host


@pytest.mark.parametrize(
    ("external_ports", "expected"),
    [
        ((), [(True, "", 8443), (False, "", None)]),
        (ByService.SERVICE, [(True, "shop.test", None), (False, "", None)]),
        (((443, 8443), (80, 8080)), [(True, "shop.test", None), (False, "", None)]),
        (((9443, 8443),), [(False, "", 9443)]),
    ],
)
def test_a_server_sends_to_the_port_that_clients_dial(gateway, pair, external_ports, expected):
    text = SITE % ("shop.test", "true") + SECURE % "shop.test"
    assert shown(of(gateway, pair, text, external_ports).to_https) == expected


@pytest.mark.parametrize(
    ("plain", "secure", "expected"),
    [
        ("'*.shop.test'", "'*.shop.test'", [(True, "", 8443), (False, "", None)]),
        ("a.shop.test", "'*.shop.test'", [(True, "", 8443), (False, "", None)]),
        ("shop.test", "other.test", [(True, "shop.test", None), (False, "", None)]),
        ("'*.shop.test'", "other.test", [(True, "", 443), (False, "", None)]),
        ("'*'", "'*'", [(True, "", 8443), (False, "", None)]),
    ],
)
def test_hosts_meet_as_they_do_for_connections(gateway, pair, plain, secure, expected):
    text = SITE % (plain, "true") + SECURE % secure
    assert shown(of(gateway, pair, text).to_https) == expected


def test_the_rules_of_a_host_stay_behind_its_redirect(gateway, pair):
    text = SITE % ("shop.test", "true") + SECURE % "shop.test" + SERVICE % "{uri: /x}"
    host = of(gateway, pair, text)
    assert shown(host.to_https) == [(True, "", 8443), (False, "", None)]
    assert shown(host.routes) == [(False, "", None)]
    assert host.answered_plain == 0


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ("{scheme: https}", [(True, "", 8443), (False, "", None)]),
        ("{scheme: https, port: 443}", [(True, "", 8443), (False, "", None)]),
        ("{scheme: https, derivePort: FROM_PROTOCOL_DEFAULT}", [(True, "", 8443), (False, "", None)]),
        ("{scheme: https, derivePort: FROM_REQUEST_PORT}", [(False, "", 80)]),
        ("{scheme: https, port: 444}", [(False, "", 444)]),
        ("{uri: /x}", [(False, "", None)]),
        ("{scheme: http}", [(False, "", None)]),
        ("{authority: elsewhere.test, scheme: https}", [(False, "elsewhere.test", None)]),
        (
            "{authority: shop.test, scheme: https}",
            [(True, "shop.test", 8443), (False, "shop.test", None)],
        ),
        ("{authority: 'shop.test:8443', scheme: https}", [(False, "shop.test:8443", None)]),
        ("{uri: /x, redirectCode: 310}", [Fail]),
    ],
)
def test_a_rule_sends_to_the_port_that_clients_dial(gateway, pair, redirect, expected):
    text = SITE % ("shop.test", "false") + SECURE % "shop.test" + SERVICE % redirect
    assert shown(of(gateway, pair, text).routes) == expected


def test_by_the_service_ports_that_are_usual_are_left_out(gateway, pair):
    text = SITE % ("shop.test", "false") + SECURE % "shop.test" + SERVICE % "{scheme: https}"
    routes = of(gateway, pair, text, ByService.SERVICE).routes
    assert shown(routes) == [(True, "shop.test", None), (False, "", None)]


def test_redirects_of_all_requests_stay_behind_narrower_rules_of_others(gateway, pair):
    narrow = (
        (SERVICE % "{uri: /n}")
        .replace("name: vs", "name: younger")
        .replace("- redirect", "- match: [{uri: {prefix: /n}}]\n    redirect")
    )
    text = SITE % ("shop.test", "false") + SECURE % "shop.test" + SERVICE % "{scheme: https}" + narrow
    routes = of(gateway, pair, text).routes
    assert [(one.match.names_port, one.origin.name) for one in routes] == [
        (False, "younger"),
        (True, "vs"),
        (False, "vs"),
    ]


def test_a_few_hosts_that_share_a_redirect_each_leave_the_usual_port_out(gateway, pair):
    text = SITE % ("a.test, '*.b.test'", "true") + SECURE % "other.test"
    routes = of(gateway, pair, text).to_https
    assert shown(routes) == [(False, "a.test", None), (True, "", 443), (False, "", None)]
    assert routes[0].match.headers[1].how.pattern == r"(?i)a\.test:[0-9]+"
