import pytest

from mizzen.resources.kinds import INERT, KINDS, SECURITY, group_of, meant


def test_a_kind_is_either_acted_upon_or_not() -> None:
    assert not KINDS.keys() & INERT.keys()


def test_the_newest_version_is_preferred() -> None:
    assert KINDS["VirtualService"].api_version == "networking.istio.io/v1"
    assert KINDS["Service"].api_version == "v1"


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [
        ("Gateway", "gateway.networking.k8s.io/v1"),
        ("Gateway", "networking.x-k8s.io/v1alpha1"),
        ("Service", "serving.knative.dev/v1"),
        ("Secret", "vault.example.com/v1"),
        ("Node", "management.cattle.io/v3"),
        ("Event", "events.k8s.io/v1"),
        ("Deployment", "example.com/v1"),
        ("AuthorizationPolicy", "security.istio.io.example.com/v1"),
    ],
)
def test_a_kind_of_another_group_is_not_ours(kind, api_version):
    assert meant(kind, api_version) is None
    assert group_of(kind, api_version) == api_version.partition("/")[0]


@pytest.mark.parametrize(
    "api_version",
    [
        *("security.istio.io/v1", "security.istio.io/v1beta1", "security.istio.io/v9", "security.istio.io"),
        *("", "v1", "/", "a/b/v1", "Security.istio.io/v1", "security.istio.io /v1", "security.istio.io//v1"),
        *(
            "security.isto.io/v1",
            "secrity.istio.io/v1",
            "security.istio.oi/v1",
            "securityistio.io/v1",
            "networking.istio.io/v1",
        ),
        *("apps/v1", "rbac.authorization.k8s.io/v1"),
    ],
)
def test_a_slip_in_the_api_version_leaves_an_object_what_it_is(api_version):
    assert meant("AuthorizationPolicy", api_version) is KINDS["AuthorizationPolicy"]
    assert group_of("AuthorizationPolicy", api_version) == SECURITY


def test_a_kind_that_nobody_knows_is_of_the_group_that_is_written():
    assert group_of("Middleware", "traefik.io/v1alpha1") == "traefik.io"
    assert (group_of("Middleware", "v1"), group_of("", "")) == ("", "")
