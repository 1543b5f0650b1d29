from collections.abc import Mapping

import pytest

from mizzen.plan.riding import Riding
from tests.harness.plans import QUIC, SITE, TCP, surface

POLICY = """---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/private]}}]}]}
"""
OTHER = """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: istio-system}
spec:
  hosts: [other.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 192.0.2.7}]
"""


def effects(old: str, new: str, listener: str) -> Mapping[tuple[str | None, str], str]:
    was, will = surface(old), surface(new)
    found = Riding(was, will, {}).hits(was.listeners[listener], will.listeners[listener])
    return {(hit.host, hit.facet[0]): hit.effect.value for hit in found}


@pytest.mark.parametrize("listener", [TCP, QUIC])
@pytest.mark.parametrize(
    ("old", "new", "host", "part", "effect"),
    [
        ("http: [{route", "http: [{timeout: 1s, route", "a.example.com", "host", "routes"),
        ("192.0.2.1", "192.0.2.2", "a.example.com", "endpoints", "endpoints"),
        ("a.example.com.crt}", "*.example.com.crt}", "a.example.com", "secret", "certificate"),
    ],
)
def test_what_rides_on_a_listener(
    listener: str, old: str, new: str, host: str, part: str, effect: str
) -> None:
    changed = SITE.replace(old, new).replace(
        "a.example.com.key}", f"{new[:-5]}.key}}" if part == "secret" else "a.example.com.key}"
    )

    assert effects(SITE, changed, listener) == {(host, part): effect}


def test_who_may_do_what_is_for_all_hosts() -> None:
    assert effects(SITE, SITE + POLICY, TCP) == {(None, "extension"): "routes"}


def test_a_backend_that_no_host_leads_to_does_nothing() -> None:
    assert effects(SITE + OTHER, SITE + OTHER.replace("192.0.2.7", "192.0.2.8"), TCP) == {}


def test_a_host_that_is_led_to_another_backend_has_other_routes_and_the_same_backends() -> None:
    moved = SITE.replace("{host: web.internal}", "{host: other.internal}")

    assert effects(SITE + OTHER, moved + OTHER, TCP) == {("a.example.com", "host"): "routes"}
