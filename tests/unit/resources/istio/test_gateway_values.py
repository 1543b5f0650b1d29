"""Values of charts below the component of a gateway."""

from mizzen.resources.istio.gateway_values import namespace_of, with_values
from mizzen.resources.istio.operator import (
    GatewayComponent,
    GatewayService,
    GatewayValues,
    GlobalValues,
    IstioOperatorSpec,
    KubernetesResources,
    Values,
)

NOTHING = GatewayComponent()


def test_no_values_change_nothing():
    assert with_values(NOTHING, GatewayValues()) == NOTHING


def test_what_a_component_says_stays():
    said = GatewayComponent(
        name="own", label={"a": "own"}, k8s=KubernetesResources(service=GatewayService(type="ClusterIP"))
    )
    values = GatewayValues(name="other", labels={"a": "x", "b": "y"}, type="NodePort", enabled=False)
    made = with_values(said, values)
    assert (made.name, made.label, made.k8s.service.type) == ("own", {"a": "own", "b": "y"}, "ClusterIP")
    assert made.enabled is False


def test_no_autoscaler_means_a_number_of_pods():
    made = with_values(NOTHING, GatewayValues(autoscale_enabled=False))
    assert (made.k8s.replica_count, made.k8s.hpa_spec) == (1, None)
    made = with_values(NOTHING, GatewayValues(autoscale_enabled=False, replica_count=3, autoscale_min=2))
    assert (made.k8s.replica_count, made.k8s.hpa_spec) == (3, None)


def test_the_namespace_is_that_of_the_spec_or_of_the_values():
    values = Values(global_=GlobalValues(istio_namespace="below"))
    assert namespace_of(IstioOperatorSpec(values=values)) == "below"
    assert namespace_of(IstioOperatorSpec(namespace="own", values=values)) == "own"
    assert namespace_of(IstioOperatorSpec()) == ""
