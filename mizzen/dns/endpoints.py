"""HTTPS records as objects of external-dns (DNSEndpoint, externaldns.k8s.io/v1alpha1), which writes them into DNS."""

from collections.abc import Iterable
from typing import Any

from mizzen.dns.justified import Listed, by_name
from mizzen.dns.record import Record

GROUP = "externaldns.k8s.io"
API_VERSION = f"{GROUP}/v1alpha1"
KIND, PLURAL = "DNSEndpoint", "dnsendpoints"
MANAGED = {"app.kubernetes.io/managed-by": "mizzen"}


def endpoint(name: str, records: Iterable[Record]) -> dict[str, Any]:
    """One name with all its records, as an element of `spec.endpoints`."""
    some = list(records)
    return {
        "dnsName": name.rstrip("."),
        "recordTTL": some[0].ttl,
        "recordType": "HTTPS",
        "targets": [record.rdata for record in some],
    }


def dns_endpoint(name: str, namespace: str, listed: Iterable[Listed]) -> dict[str, Any]:
    """One object that holds all of these."""
    records = by_name(listed)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace, "labels": dict(MANAGED)},
        "spec": {"endpoints": [endpoint(one, some) for one, some in records.items()]},
    }
