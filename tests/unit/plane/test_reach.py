"""Where services of the mesh are, for whoever asks them for keys."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from mizzen.demo import certificates
from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Health
from mizzen.model.token import KeySource
from mizzen.node.system_roots import VARIABLE, SystemRoots
from mizzen.persistent import by_name
from mizzen.plane.reach import Reach, endpoints_of
from mizzen.sources.fetching import Unfetched
from tests.harness.gateway import now
from tests.harness.small_models import GATEWAY
from tests.unit.sources.test_fetching import http, server


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


@pytest.mark.asyncio
async def test_who_is_trusted_is_who_the_machine_trusts_unless_anybody_shall_be(tmp_path: Path) -> None:
    root, other = certificates.authority("Test", now()), certificates.authority("Other", now())
    pair = certificates.server("localhost", root, now())
    for name, content in (("chain", pair.certificate), ("key", pair.key), ("roots", root.certificate)):
        (tmp_path / name).write_bytes(content)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "chain", tmp_path / "key")

    def reach(roots: str) -> Reach:
        return Reach(SystemRoots({VARIABLE: str(tmp_path / roots)}), lambda: ())

    async with server(lambda _: http(b'{"keys": []}'), serving) as port:
        source = KeySource(url=f"https://localhost:{port}/")
        assert await reach("roots").keys(source) == '{"keys": []}'
        (tmp_path / "others").write_bytes(other.certificate)
        for roots in ("others", "missing"):
            with pytest.raises(Unfetched):
                await reach(roots).keys(source)
            anybody = KeySource(url=source.url, verify=False)
            assert await reach(roots).keys(anybody) == '{"keys": []}'
