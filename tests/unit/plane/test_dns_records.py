"""Which records shall be kept where: of real builds, and a state that is driven by hand."""

from mizzen.plane.dns_records import ZoneKey, keeps_any, kept
from tests.unit.plane.harness import GATEWAY, Plane, https, server

ZONE = "{server: 192.0.2.53, zone: test., addresses: [192.0.2.1]}"
KEY = ZoneKey("192.0.2.53", 53, "test.", "istio-system")


def policy(dns: str = ZONE, refs: str = "", name: str = "dns") -> str:
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: istio-system}}
spec: {{{refs}dns: {dns}}}
---
"""


def plane(text: str) -> Plane:
    made = Plane()
    made.build(text)
    return made


def test_a_server_is_kept_where_its_policy_says_and_only_while_it_may_be_listed() -> None:
    made = plane(https("shop") + policy() + https("more"))
    gateways = list(made.state.gateways.values())
    assert all(map(keeps_any, gateways))
    found = kept(gateways, lambda key: key == (GATEWAY, server("shop")))
    assert list(found.zones) == [KEY] and not found.objects
    (records,) = found.zones[KEY].records.values()
    assert [str(one) for one in records] == [
        '_8443._https.shop.test. 60 IN HTTPS 1 . alpn="h3,h2,http/1.1" port=8443 ipv4hint=192.0.2.1'
    ]


def test_without_a_policy_nothing_is_kept() -> None:
    gateways = list(plane(https("shop")).state.gateways.values())
    assert not any(map(keeps_any, gateways))
    assert not kept(gateways, lambda _: True).zones


def test_a_zone_that_holds_nothing_is_kept_empty_and_names_of_other_zones_are_not_in_it() -> None:
    gateways = list(plane(https("shop") + policy()).state.gateways.values())
    zone = kept(gateways, lambda _: False).zones[KEY]
    assert (zone.records, zone.absent) == ({}, {"_8443._https.shop.test."})
    other = plane(https("shop") + policy("{server: 192.0.2.53, zone: else.}"))
    (zone,) = kept(other.state.gateways.values(), lambda _: True).zones.values()
    assert zone.records == {}


def test_a_server_without_a_mirror_is_in_no_zone_though_nobody_knows_of_it() -> None:
    made = plane(https("shop", port=8444) + policy())
    (zone,) = kept(made.state.gateways.values(), lambda _: None).zones.values()
    assert zone.records == {}


def test_what_nobody_knows_of_is_marked() -> None:
    gateways = list(plane(https("shop") + policy()).state.gateways.values())
    zone = kept(gateways, lambda _: None).zones[KEY]
    assert zone.unknown == set(zone.records) == {"_8443._https.shop.test."}


def test_objects_are_by_the_policy_that_wants_them() -> None:
    gateways = list(plane(https("shop") + policy("{externalDns: true}")).state.gateways.values())
    found = kept(gateways, lambda _: True)
    assert not found.zones
    assert {str(ref): len(listed) for ref, listed in found.objects.items()} == {
        "HTTP3Policy/istio-system/dns": 1
    }


def test_policies_that_share_a_key_write_together_and_nobody_writes_by_anothers() -> None:
    with_key = "{server: 192.0.2.53, zone: test., tsigSecret: key}"
    secret = """
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: istio-system}
stringData: {name: k, secret: c2VjcmV0}
---
"""
    refs = "targetRefs: [{name: %s}], "
    text = https("shop") + policy(with_key, refs % "shop", "a") + https("more") + "---" + secret
    together = plane(text + policy(with_key, refs % "more", "b"))
    (zone,) = kept(together.state.gateways.values(), lambda _: True).zones.values()
    assert len(zone.records) == 2
    apart = plane(
        text + policy("{server: 192.0.2.53, zone: test., owner: istio-system/key}", refs % "more", "b")
    )
    found = kept(apart.state.gateways.values(), lambda _: True).zones
    assert {(key.secret, len(one.records), one.keeper.key is None) for key, one in found.items()} == {
        ("istio-system/key", 1, False),
        ("", 1, True),
    }
