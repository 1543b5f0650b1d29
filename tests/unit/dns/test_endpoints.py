"""Records as objects of external-dns."""

from dataclasses import replace

from mizzen.dns.endpoints import dns_endpoint
from mizzen.dns.justified import justified
from tests.unit.dns.test_justified import BINDING, EAST, WEST


def test_one_endpoint_for_each_name_with_all_its_records() -> None:
    other = replace(WEST, binding=replace(BINDING, addresses=("192.0.2.2",)))
    made = dns_endpoint("mizzen-web", "shop", justified([EAST, other]).listed)
    assert made["metadata"] == {
        "name": "mizzen-web",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": "mizzen"},
    }
    assert made["spec"]["endpoints"] == [
        {
            "dnsName": "www.example.com",
            "recordTTL": 60,
            "recordType": "HTTPS",
            "targets": [
                '1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1',
                '1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.2',
            ],
        }
    ]
