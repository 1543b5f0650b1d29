"""Objects for external-dns, and notes: against an API server that answers what it is told to."""

import pytest

from mizzen.cluster.dns_objects import ConfigMapNotes, DnsEndpoints, listed_of
from mizzen.dns.endpoints import dns_endpoint
from mizzen.dns.justified import justified
from mizzen.errors import ResourceRef
from mizzen.kube.client import Kube
from mizzen.plane.dns_keeper import NotesUnread, NotesUnwritten
from mizzen.status import BindingStatus, EnvoyStatus, MirrorStatus, Status
from tests.harness.fake_api_server import Answer, FakeServer
from tests.unit.dns.test_justified import EAST

POLICY = ResourceRef(kind="HTTP3Policy", namespace="shop", name="web")
OBJECTS = {POLICY: justified([EAST]).listed}
PATH = "/apis/externaldns.k8s.io/v1alpha1"
LABELS = {"app.kubernetes.io/managed-by": "mizzen", "istio.io/rev": "default"}


@pytest.fixture
def endpoints(kube: Kube) -> DnsEndpoints:
    return DnsEndpoints(kube, "default")


def made(name: str = "mizzen-web") -> dict[str, object]:
    one = dns_endpoint(name, "shop", OBJECTS[POLICY])
    one["metadata"]["labels"] = LABELS
    return one


async def test_an_object_is_made_for_each_policy(server: FakeServer, endpoints: DnsEndpoints) -> None:
    server.lists.extend([{"items": []}, Answer(status=404, body={"message": "none"}), made()])
    assert await endpoints.apply(OBJECTS) == ""
    assert server.asked[0][1]["labelSelector"] == "app.kubernetes.io/managed-by=mizzen,istio.io/rev=default"
    assert server.asked[-1][0] == f"{PATH}/namespaces/shop/dnsendpoints/mizzen-web"


async def test_what_is_as_it_should_be_is_left_and_what_nobody_wants_is_removed(
    server: FakeServer, endpoints: DnsEndpoints
) -> None:
    server.lists.extend([{"items": [made(), made("mizzen-old")]}, {}])
    assert await endpoints.apply(OBJECTS) == ""
    assert [path for path, _ in server.asked] == [
        f"{PATH}/dnsendpoints",
        f"{PATH}/namespaces/shop/dnsendpoints/mizzen-old",
    ]


async def test_an_object_of_somebody_else_is_left(server: FakeServer, endpoints: DnsEndpoints) -> None:
    other = dns_endpoint("mizzen-web", "shop", ())
    server.lists.extend([{"items": []}, other])
    assert "shop/mizzen-web is somebody else's" in await endpoints.apply(OBJECTS)
    assert len(server.asked) == 2


async def test_a_cluster_without_the_kind_is_told_where_it_matters(
    server: FakeServer, endpoints: DnsEndpoints
) -> None:
    missing = Answer(status=404, body={"message": "the server could not find the requested resource"})
    server.lists.extend([missing, missing])
    assert await endpoints.apply(OBJECTS) == (
        "the cluster has no kind DNSEndpoint (externaldns.k8s.io/v1alpha1)"
    )
    assert await endpoints.apply({}) == ""


async def test_a_right_that_is_missing_is_told(server: FakeServer, endpoints: DnsEndpoints) -> None:
    server.lists.append(Answer(status=403, body={"message": "dnsendpoints is forbidden"}))
    assert "dnsendpoints is forbidden" in await endpoints.apply(OBJECTS)


async def test_notes_are_kept_in_a_config_map_and_what_is_none_counts_as_nothing(
    server: FakeServer, kube: Kube
) -> None:
    notes = ConfigMapNotes(kube, "istio-system", "mizzen-dns")
    server.lists.append({})
    await notes.save([{"zone": "example.com."}])
    for data in ({"dns.json": '[{"zone": "example.com."}]'}, {"dns.json": "{"}, None):
        server.lists.append({"data": data})
    assert await notes.load() == [{"zone": "example.com."}]
    assert await notes.load() is None
    assert await notes.load() is None
    server.lists.append(Answer(status=404, body={}))
    assert await notes.load() is None
    server.lists.append(Answer(status=403, body={"message": "forbidden"}))
    with pytest.raises(NotesUnread, match="forbidden"):
        await notes.load()
    server.lists.append(Answer(status=403, body={"message": "you may not write"}))
    with pytest.raises(NotesUnwritten, match="you may not write"):
        await notes.save([])


def replica(version: str, is_listed: bool) -> Status:
    mirror = MirrorStatus(server="https.443.https.web.shop", dns=BindingStatus(is_listed=is_listed))
    envoy = EnvoyStatus(key="gw.istio-system~2", version=version, mirrors=(mirror,))
    return Status(gateways={"gw-1.istio-system": envoy})


KEY = ("gw.istio-system", "alt-svc/https.443.https.web.shop")


def test_whoever_has_the_envoy_says_whether_dns_may_name_it() -> None:
    assert listed_of([replica("", False), replica("1.40", True)]) == {KEY: True}
    assert listed_of([replica("1.40", False), replica("1.40", True)]) == {KEY: False}
    assert listed_of([replica("", True), Status()]) == {}  # nobody knows
