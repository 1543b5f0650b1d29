"""Which gateways are looked at, and what becomes of those that do not answer."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mizzen.cli import gateway_sight, reach
from mizzen.cli.gateway_sight import Gateways, Operator
from mizzen.doctor.links import ordered
from mizzen.doctor.operator import Explained
from mizzen.status import EnvoyStatus, KernelUdp, MirrorStatus, Status, to_json

MIRROR = MirrorStatus(
    server="s", listener="udp_0.0.0.0_8443", hosts=("shop.test",), port=443, resource="Gateway/a/b"
)
STATUS = Status(
    gateways={
        "pod-1.shop": EnvoyStatus(mirrors=(MIRROR,)),
        "pod-2.shop": EnvoyStatus(mirrors=(MIRROR,)),
        "other.shop": EnvoyStatus(),
    },
    nodes=3,
)
ANSWERS: dict[str, Any] = {
    "/stats": {"stats": [{"name": "listener_manager.total_listeners_draining", "value": 0}]},
    "/config_dump": {"configs": [{"name": "udp_0.0.0.0_8443", "active_state": {"listener": {}}}]},
    "/udp_sockets": to_json(KernelUdp(receive_max=7)),
}


class Target:
    """A control plane with three Envoys, of which the second does not answer."""

    def __init__(self, is_away: bool = False) -> None:
        self.is_away = is_away
        self.asked: list[str] = []

    def status(self) -> Status:
        if self.is_away:
            raise click.ClickException("no mizzen answers")
        return STATUS

    def key(self, wanted: str | None) -> str:
        return f"{wanted}.shop"

    def admin(self, key: str, target: str) -> str:
        self.asked.append(target)
        if key == "pod-2.shop":
            raise click.ClickException("the Envoy does not answer")
        return json.dumps(ANSWERS[target.partition("?")[0]])

    def tunnel(self, key: str) -> AbstractAsyncContextManager[reach.Connect]:
        raise NotImplementedError


def gateways(target: Target, **fields: Any) -> Gateways:
    return Gateways(target=target, where="the cluster", **fields)


def test_the_envoys_that_serve_the_host_are_asked() -> None:
    target = Target()
    sight = gateways(target).look("shop.test", 443)
    assert sight is not None
    first, second = sight.envoys
    assert (first.name, first.kernel, first.silent) == ("pod-1.shop", KernelUdp(receive_max=7), "")
    assert [one.name for one in first.listeners] == ["udp_0.0.0.0_8443"]
    assert (second.name, second.silent) == ("pod-2.shop", "the Envoy does not answer")
    assert (sight.where, sight.nodes) == ("the cluster", 3)
    assert any("name_regex=%5E%28udp_0%5B.%5D0" in one for one in target.asked)


def test_a_gateway_that_is_named_is_the_only_one() -> None:
    sight = gateways(Target(), gateway="pod-1", is_named=True).look("nobody.test", 443)
    assert sight is not None
    assert [one.name for one in sight.envoys] == ["pod-1.shop"]
    with pytest.raises(click.ClickException, match="is not connected to the control plane"):
        gateways(Target(), gateway="gone", is_named=True).look("shop.test", 443)


def test_where_nobody_named_one_what_is_not_there_is_no_error() -> None:
    assert gateways(Target(is_away=True)).look("shop.test", 443) is None
    assert gateways(Target()).look("nobody.test", 443) is None
    with pytest.raises(click.ClickException, match="no mizzen answers"):
        gateways(Target(is_away=True), is_named=True).look("shop.test", 443)


def test_a_host_that_none_serves_is_told_with_all_that_were_named() -> None:
    target = Target()
    sight = gateways(target, is_named=True).look("nobody.test", 443)
    assert sight is not None
    assert len(sight.envoys) == 3
    assert {one.silent for one in sight.envoys} == {"it was not asked"}
    assert not target.asked


REPORT = ordered("https://shop.test/", [])


def test_an_operator_looks_before_and_after_the_client() -> None:
    target = Target()
    operator = Operator(gateways(target, is_named=True), [("shop.test", 443)])
    operator.look()
    before = len(target.asked)
    (found,) = operator.explain([REPORT])
    assert before and len(target.asked) == 2 * before
    assert found.where == "the cluster" and found.checks
    operator.look()  # the next round begins where this one ended
    assert len(target.asked) == 2 * before


def test_what_cannot_be_read_is_an_error_where_it_is_named() -> None:
    class Strange(Target):
        def status(self) -> Status:
            raise ValueError("expected object")

    assert gateways(Strange()).look("shop.test", 443) is None
    with pytest.raises(click.ClickException, match="tells what cannot be read: expected object"):
        gateways(Strange(), is_named=True).look("shop.test", 443)


def test_a_cluster_that_nobody_named_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    class Silent(Target):
        def status(self) -> Status:
            released.wait(60)
            return STATUS

    monkeypatch.setattr(gateway_sight, "_PATIENCE", 0.05)
    operator = Operator(gateways(Silent()), [("shop.test", 443)])
    operator.look()
    assert operator.explain([REPORT]) == [Explained(report=REPORT)]
    released.set()


def test_where_no_gateway_is_known_the_client_is_told_alone() -> None:
    operator = Operator(gateways(Target(is_away=True)), [("shop.test", 443)])
    operator.look()
    assert operator.explain([REPORT]) == [Explained(report=REPORT)]
    with pytest.raises(click.ClickException, match="no mizzen answers"):
        Operator(gateways(Target(is_away=True), is_named=True), [("shop.test", 443)]).look()


@pytest.mark.parametrize(
    ("arguments", "is_named"),
    [((), False), (("--run-dir", "RUN"), True), (("--gateway", "web"), True), (("-n", "shop"), True)],
)
def test_an_option_names_where_gateways_are(
    arguments: tuple[str, ...], is_named: bool, tmp_path: Path
) -> None:
    seen: list[Gateways] = []
    take: Callable[..., None] = lambda gateways: seen.append(gateways)  # noqa: E731
    command = click.command()(gateway_sight.gateways(take))
    words = [str(tmp_path) if one == "RUN" else one for one in arguments]
    result = CliRunner().invoke(command, words, env={"MIZZEN_RUN_DIR": str(tmp_path), "KUBECONFIG": ""})
    assert result.exit_code == 0, result.output
    assert seen[0].is_named is is_named
    assert seen[0].where.startswith("the cluster" if "-n" in arguments else f"mizzen up in {tmp_path}")
