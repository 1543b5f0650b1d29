"""Configurations of other servers, what h2load reports, and the tables. Nothing is started."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from bench.paired import Figure
from bench.peers import caddy, haproxy, nginx
from bench.peers.h2load import Shape, report
from bench.peers.place import Place
from bench.peers.programs import program
from bench.peers.tables import lines, with_ratios

PLACE = Place(folder="/tmp/x", port=18501, upstream=18080, workers=2, http3=True)


@pytest.mark.parametrize("module", [nginx, haproxy, caddy], ids=lambda module: module.__name__)
@pytest.mark.parametrize("http3", [True, False])
def test_a_server_listens_and_asks_where_it_is_told_and_speaks_http3_where_it_can(
    module: Any, http3: bool
) -> None:
    place = Place(folder="/tmp/x", port=18501, upstream=18080, workers=2, http3=http3)
    text = module.config(place)

    assert "18501" in text
    assert "127.0.0.1:18080" in text
    assert "/tmp/x/server." in text
    assert ("quic" in text or "h3" in text) is http3
    assert module.FILE in " ".join(module.arguments(place))


def test_workers_are_those_of_the_place() -> None:
    assert "worker_processes 2;" in nginx.config(PLACE)
    assert "nbthread 2" in haproxy.config(PLACE)
    assert caddy.environment(PLACE)["GOMAXPROCS"] == "2"


def test_a_program_is_looked_for_in_the_root_first(tmp_path: Any) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/sh").touch()

    inside, here = program("sh", tmp_path), program("sh", None)

    assert inside
    assert here
    assert inside.command(["-c"]) == ["chroot", str(tmp_path), "/usr/sbin/sh", "-c"]
    assert inside.outside("/tmp/x") == tmp_path / "tmp/x"
    assert here.command(["-c"])[1:] == ["-c"]
    assert program("nobody-has-this", tmp_path) is None


def _measured(statuses: dict[str, int], **requests: int) -> str:
    times = {"median": 0.001, "p99": 0.004}
    counts = {"succeeded": 0, "failed": 0, "errored": 0, "timeout": 0, **requests}
    return json.dumps(
        {
            "measurements": {
                "duration": 3.0,
                "requests": counts,
                "status_codes": statuses,
                "performance": {"request": times},
            }
        }
    )


def test_the_warm_up_of_a_timed_load_is_not_in_its_rate() -> None:
    text = _measured({"2xx": 200}, succeeded=200)

    assert report(text, "", seconds=2.0).rate == 100.0
    assert report(text, "").rate == pytest.approx(66.7, abs=0.1)


def test_answers_of_another_status_are_failures() -> None:
    got = report(_measured({"2xx": 6, "5xx": 3}, succeeded=9, errored=2), "Resumption: yes\n")

    assert (got.succeeded, got.failed, got.resumed) == (6, 5, True)


def test_a_rate_is_shared_out_to_connections() -> None:
    flags = Shape(connections=8, streams=4, threads=2, seconds=3, rate=1000).arguments()

    assert flags == ["-c", "8", "-m", "4", "-t", "2", "-D", "3000ms", "--warm-up-time=1", "--rps=125.000"]


def test_each_value_of_a_server_has_a_figure() -> None:
    found = with_ratios({"bare": [(10.0, 1.0), (20.0, 1.0)], "ours": [(20.0, 3.0), (40.0, 3.0)]})

    assert found["bare"] == [Figure(15.0, 1.0), Figure(1.0, 1.0)]
    assert found["ours"] == [Figure(30.0, 2.0), Figure(3.0, 3.0)]
    assert with_ratios({}) == {}


def _cell(figures: Sequence[Figure]) -> str:
    return f"{figures[0].value:.0f}"


def test_what_is_missing_is_shown_and_has_a_reason() -> None:
    found = {("nginx", "h1"): [Figure(1, 1)], ("nginx", "h2"): [Figure(2, 1)]}

    assert lines(["nginx"], found, {("nginx", "h3"): "why"}, _cell) == [
        ("", "h1", "h2", "h3"),
        ("nginx", "1", "2", "-"),
    ]
    with pytest.raises(ValueError, match="neither a figure nor a reason"):
        lines(["nginx"], found, {}, _cell)
