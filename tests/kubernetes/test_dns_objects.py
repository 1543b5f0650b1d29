"""Objects for external-dns on a real API server: made, changed, taken back; and told of where their kind is missing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from mizzen.cluster.dns_objects import ConfigMapNotes, DnsEndpoints
from mizzen.dns.justified import Served, justified
from mizzen.errors import ResourceRef
from mizzen.install.apply.objects import Objects
from mizzen.install.apply.uninstall import Uninstaller
from mizzen.kube.client import Kube, KubeError, connect
from mizzen.model.dns import Binding
from tests.kubernetes.definitions import gone

pytestmark = pytest.mark.kubernetes

POLICY = ResourceRef(kind="HTTP3Policy", namespace="default", name="web")
PATH = "/apis/externaldns.k8s.io/v1alpha1/namespaces/default/dnsendpoints"
NAME = "dnsendpoints.externaldns.k8s.io"
TEXT = {"type": "string"}
# As external-dns declares it, less what is not of use here.
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": NAME,
        "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/external-dns/pull/2007"
        },
    },
    "spec": {
        "group": "externaldns.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "DNSEndpoint", "listKind": "DNSEndpointList", "plural": "dnsendpoints"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "endpoints": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "properties": {
                                                "dnsName": TEXT,
                                                "recordTTL": {"type": "integer", "format": "int64"},
                                                "recordType": TEXT,
                                                "targets": {"type": "array", "items": TEXT},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest_asyncio.fixture
async def kube(kubeconfig: str) -> AsyncIterator[Kube]:
    found = connect(kubeconfig)
    yield found
    with contextlib.suppress(KubeError):
        await found.send("DELETE", f"{DEFINITIONS}/{NAME}")
    await gone(Objects(kube=found), NAME)
    await found.close()


def listed(address: str) -> dict[ResourceRef, Any]:
    binding = Binding(hosts=("www.example.com",), port=443, alpn=("h3", "h2"), addresses=(address,))
    served = Served(gateway="gw.default", server="https.443.https.web.default", binding=binding)
    return {POLICY: justified([served]).listed}


async def applied(kube: Kube, objects: dict[ResourceRef, Any]) -> list[Any]:
    async with asyncio.timeout(20):
        while await DnsEndpoints(kube, "default").apply(objects):  # the definition has just come
            await asyncio.sleep(0.2)
    return list((await kube.get(PATH))["items"])


async def test_records_become_objects_and_go_with_them(kube: Kube) -> None:
    assert "no kind DNSEndpoint" in await DnsEndpoints(kube, "default").apply(listed("192.0.2.1"))
    assert await DnsEndpoints(kube, "default").apply({}) == ""
    await kube.send("POST", DEFINITIONS, DEFINITION)
    for address in ("192.0.2.1", "192.0.2.2"):
        (one,) = await applied(kube, listed(address))
        assert one["metadata"]["name"] == "mizzen-web"
        (endpoint,) = one["spec"]["endpoints"]
        assert endpoint["targets"] == [f'1 . alpn="h3,h2" ipv4hint={address}']
    version = one["metadata"]["resourceVersion"]
    (same,) = await applied(kube, listed("192.0.2.2"))
    assert same["metadata"]["resourceVersion"] == version  # nothing was written
    for revision in (None, "default"):
        uninstaller = Uninstaller(objects=Objects(kube=kube), say=print, revision=revision)
        assert [str(key) for key in await uninstaller.records()] == ["DNSEndpoint/default/mizzen-web"]
    assert await applied(kube, {}) == []


async def test_notes_are_there_for_the_next_leader(kube: Kube) -> None:
    notes = ConfigMapNotes(kube, "default", "mizzen-dns-test")
    assert await notes.load() is None
    await notes.save([{"zone": "example.com."}])
    await notes.save([{"zone": "example.org."}])
    assert await ConfigMapNotes(kube, "default", "mizzen-dns-test").load() == [{"zone": "example.org."}]
    await kube.send("DELETE", "/api/v1/namespaces/default/configmaps/mizzen-dns-test")
