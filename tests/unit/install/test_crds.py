"""What the definitions hold; whether an API server takes them is asked in tests/kubernetes."""

from typing import Any

import pytest

from mizzen.install.crds import crds
from mizzen.resources.kinds import INERT, KINDS

BY_KIND = {crd["spec"]["names"]["kind"]: crd for crd in crds()}


def test_every_kind_of_istios_that_is_known_is_defined_and_no_other() -> None:
    ours = {name for name, kind in KINDS.items() if kind.group.endswith((".istio.io", "mizzen.dev"))} - {
        "IstioOperator"
    }

    assert BY_KIND.keys() == ours | INERT.keys()


def test_they_come_by_name_and_are_called_as_istio_calls_them() -> None:
    names = [crd["metadata"]["name"] for crd in crds()]

    assert names == sorted(names)
    assert {
        "serviceentries.networking.istio.io",
        "proxyconfigs.networking.istio.io",
        "authorizationpolicies.security.istio.io",
        "telemetries.telemetry.istio.io",
        "trafficextensions.extensions.istio.io",
    } <= set(names)


@pytest.mark.parametrize("kind", sorted(BY_KIND.keys() - {"HTTP3Policy"}))
def test_each_says_what_it_is_and_whose(kind: str) -> None:
    crd = BY_KIND[kind]
    spec = crd["spec"]

    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert crd["metadata"]["labels"] == {
        "app": "istio-pilot",
        "release": "istio",
        "operator.istio.io/component": "Base",
    }
    assert spec["names"]["categories"] == ["istio-io", f"{spec['group'].split('.')[0]}-istio-io"]
    assert spec["scope"] == "Namespaced"
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        assert schema["description"]
        assert schema["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True
        assert version["subresources"] == {"status": {}}
        assert version["served"] is True


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        ("VirtualService", ["v1", "v1beta1", "v1alpha3"]),
        ("AuthorizationPolicy", ["v1", "v1beta1"]),
        ("EnvoyFilter", ["v1alpha3"]),
        ("Telemetry", ["v1", "v1alpha1"]),
    ],
)
def test_the_first_version_is_stored_and_all_are_served(kind: str, versions: list[str]) -> None:
    found: list[Any] = BY_KIND[kind]["spec"]["versions"]

    assert [version["name"] for version in found] == versions
    assert [version["storage"] for version in found] == [True, *[False] * (len(versions) - 1)]


def test_a_list_shows_what_istios_shows() -> None:
    def columns(kind: str) -> list[str]:
        return [column["name"] for column in BY_KIND[kind]["spec"]["versions"][0]["additionalPrinterColumns"]]

    assert columns("VirtualService") == ["Gateways", "Hosts", "Age"]
    assert columns("DestinationRule") == ["Host", "Age"]
    assert columns("ServiceEntry") == ["Hosts", "Location", "Resolution", "Age"]
    assert columns("PeerAuthentication") == ["Mode", "Age"]
    assert BY_KIND["VirtualService"]["spec"]["names"]["shortNames"] == ["vs"]
