"""Where services of the mesh are, for whoever asks them for keys."""

from dataclasses import dataclass

from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Health
from mizzen.persistent import by_name
from mizzen.plane.key_reach import endpoints_of
from tests.harness.small_models import GATEWAY


@dataclass
class Models:
    backends: object


def model(*groups: EndpointGroup) -> Models:
    name = "outbound|80||keys.auth"
    backend = Backend(name=name, discovery=Discovery.ENDPOINTS, service=None, groups=groups, origin=GATEWAY)
    return Models(by_name([backend]))


def test_endpoints_that_are_near_come_first_and_none_that_is_ill_or_a_socket():
    far = EndpointGroup(priority=1, endpoints=(Endpoint(address="10.0.0.2", port=80),))
    near = EndpointGroup(
        endpoints=(
            Endpoint(address="10.0.0.9", port=80, health=Health.UNHEALTHY),
            Endpoint(address="/run/x.sock", port=0),
            Endpoint(address="10.0.0.1", port=8080),
        )
    )
    models = [Models(by_name([])), model(far, near)]
    assert list(endpoints_of(lambda: models, "keys.auth", 80)) == [("10.0.0.1", 8080), ("10.0.0.2", 80)]


def test_who_is_no_service_has_none():
    assert list(endpoints_of(lambda: [model()], "keys.auth", 81)) == []
