"""Weights of endpoints that Envoy can add up."""

from mizzen.envoy.endpoints import cluster_load_assignment
from mizzen.envoy.violations import violations
from mizzen.errors import ResourceRef
from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup

MOST = 2**32 - 1


def weights(*written: int) -> list[int]:
    endpoints = tuple(Endpoint(address="192.0.2.1", port=80, weight=weight) for weight in written)
    backend = Backend(
        name="b",
        discovery=Discovery.ENDPOINTS,
        service=None,
        groups=(EndpointGroup(endpoints=endpoints),),
        origin=ResourceRef(kind="ServiceEntry"),
    )
    made = cluster_load_assignment(backend)
    assert violations(made) == ()
    (locality,) = made.endpoints
    found = [one.load_balancing_weight.value for one in locality.lb_endpoints]
    assert locality.load_balancing_weight.value == sum(found) <= MOST
    return found


def test_weights_stay_as_they_are_written_while_they_can() -> None:
    assert weights(1, 2) == [1, 2]
    assert weights(MOST - 1, 1) == [MOST - 1, 1]


def test_weights_that_are_too_much_together_become_smaller_and_compare_alike() -> None:
    one, other, least = weights(MOST, MOST, 1)

    assert one == other > 2**29
    assert least == 1
