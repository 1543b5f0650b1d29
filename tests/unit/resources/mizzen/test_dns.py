"""The block `dns` of an HTTP3Policy, as its author writes it."""

from datetime import timedelta

from mizzen.resources.intake import decode_all
from mizzen.resources.mizzen.dns import DnsSettings
from mizzen.resources.mizzen.http3_policy import HTTP3Policy
from mizzen.resources.raw_objects import parse_documents


def test_every_field_is_read() -> None:
    text = """
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: web, namespace: shop}
spec:
  dns: {server: 10.0.0.53, zone: example.com., tsigSecret: key, ttl: 2m, addresses: [192.0.2.1], targetName: a.example,
        owner: me}
"""
    raws, _ = parse_documents(text, "input.yaml")
    world, problems = decode_all(raws)
    policy = world.every(HTTP3Policy)[0]
    assert not problems
    assert policy.spec.dns == DnsSettings(
        server="10.0.0.53",
        zone="example.com.",
        tsig_secret="key",
        ttl=timedelta(minutes=2),
        addresses=("192.0.2.1",),
        target_name="a.example",
        owner="me",
    )
