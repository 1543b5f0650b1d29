"""Ports that somebody else holds, or another gateway of the same instance claims."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mizzen.errors import Place, ResourceRef
from mizzen.model import GatewayName, Model
from mizzen.model.listener import Edge, Listener, Transport
from mizzen.persistent import PersistentMap
from mizzen.plane.taken_ports import Claim, claims_of, given_up, is_for_a_port, mark_lost, occupied

ORIGIN = ResourceRef(kind="Gateway", namespace="istio-system", name="g", places={"": Place("g.yaml", 1, 1)})
FOLDER = Path("/run/none")


def listener(port: int, *, address: str = "127.0.0.1", transport: Transport = Transport.TCP) -> Listener:
    return Listener(
        name=f"{transport.value}_{address}_{port}",
        transport=transport,
        address=address,
        port=port,
        chains=(),
        edge=Edge(),
        origin=ORIGIN,
    )


def model(*listeners: Listener, name: str = "a.istio-system") -> Model:
    return Model(
        gateway=GatewayName(name),
        listeners=listeners,
        route_tables=(),
        backends=PersistentMap(),
        certificates=(),
        trusted_cas=(),
        announcements=(),
        mirrors=(),
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_somebody_holds_is_a_problem_of_its_gateway(taken: int) -> None:
    (found,) = occupied(model(listener(taken)), frozenset(), FOLDER, ())

    assert found.problem.code == "PORT-001"
    assert found.problem.resource == ORIGIN
    assert f"TCP 127.0.0.1:{taken} cannot be opened: it is in use by pid " in found.problem.message


def test_what_the_gateway_serves_already_is_not_tried_again(taken: int) -> None:
    one = listener(taken)

    assert occupied(model(one), frozenset({one.name}), FOLDER, ()) == ()


def test_tcp_and_udp_of_one_number_are_two_ports(taken: int) -> None:
    assert occupied(model(listener(taken, transport=Transport.QUIC)), frozenset(), FOLDER, ()) == ()


def test_two_gateways_of_one_instance_do_not_share_a_port() -> None:
    claims = claims_of(model(listener(8443, address="0.0.0.0"), name="b.istio-system"), frozenset())

    (found,) = occupied(model(listener(8443)), frozenset(), FOLDER, claims)

    assert "the gateway b.istio-system of this instance serves it" in found.problem.message


def test_what_a_gateway_could_not_open_it_does_not_claim() -> None:
    one = listener(8443)

    assert claims_of(model(one), frozenset({one.name})) == ()
    assert claims_of(model(one), frozenset()) == (
        Claim(gateway="a.istio-system", transport=Transport.TCP, address="127.0.0.1", port=8443),
    )


def test_what_was_served_before_is_told_from_what_never_was(taken: int) -> None:
    one, other = listener(taken), listener(taken, address="0.0.0.0")
    found = occupied(model(one, other), frozenset(), FOLDER, ())

    lost, never = mark_lost(found, frozenset({one.name}))

    assert (lost.is_lost, never.is_lost) == (True, False)
    assert lost.problem.hint == "End that process, or use another port. It is tried again and again."


def test_a_port_that_our_own_envoy_has_is_not_taken_from_it(tmp_path: Path) -> None:
    ours = tmp_path / "gateway"
    program = "import socket,sys; s=socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, f"{ours}/bootstrap.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as envoy:
        assert envoy.stdout
        port = int(envoy.stdout.readline())

        assert occupied(model(listener(port)), frozenset(), ours, ()) == ()
        assert len(occupied(model(listener(port)), frozenset(), FOLDER, ())) == 1
        envoy.communicate(b"\n")


@pytest.mark.parametrize(
    ("refusal", "is_port"),
    [
        ("Error adding/updating listener(s) 0.0.0.0_80: cannot bind '0.0.0.0:80': Permission denied", True),
        ("Error adding/updating listener(s) a: cannot listen() on a: Address already in use", True),
        ("Didn't find a registered implementation for 'no.such.filter'", False),
    ],
)
def test_refusals_for_a_port_are_known_by_their_words(refusal: str, is_port: bool) -> None:
    assert is_for_a_port(refusal) is is_port


def test_a_socket_takes_the_place_of_no_file_and_of_no_other_gateways(tmp_path: Path) -> None:
    file, free = tmp_path / "file", tmp_path / "free"
    file.touch()
    found = occupied(
        model(*(listener(0, address=str(path), transport=Transport.UNIX) for path in (file, free))),
        frozenset(),
        FOLDER,
        (),
    )
    assert [one.problem.code for one in found] == ["UNIX-002"]
    assert found[0].problem.message == f"{file} cannot be opened: a file is there that is no socket"

    mine = model(listener(0, address=str(free), transport=Transport.UNIX))
    (taken,) = occupied(mine, frozenset(), FOLDER, claims_of(mine, frozenset()))
    assert "the gateway a.istio-system of this instance serves it" in taken.problem.message


def test_what_is_only_held_open_yields_to_another_gateway_that_wants_the_port() -> None:
    held = listener(8443, transport=Transport.QUIC)
    mine, other = model(held), GatewayName("b.istio-system")
    assert claims_of(mine, frozenset()) == ()
    wants = Claim(gateway=other, transport=Transport.QUIC, address="0.0.0.0", port=8443)
    assert given_up(mine, (wants,)) == {held.name}
    assert given_up(mine, (replace(wants, transport=Transport.TCP),)) == frozenset()
    assert given_up(mine, (replace(wants, gateway=mine.gateway),)) == frozenset()
    assert given_up(model(listener(8443)), (replace(wants, transport=Transport.TCP),)) == frozenset()
