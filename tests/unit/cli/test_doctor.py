"""The command line of `mizzen doctor`: options, output, exit status."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mizzen.cli import cli
from mizzen.cli import doctor as module
from mizzen.doctor.asking import Options
from mizzen.doctor.links import Link, Name, Report, ordered
from mizzen.doctor.target import Target
from tests.harness.small_walk import AUTHORITY

Walked = list[tuple[Sequence[Target], Options]]


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> Walked:
    """What was looked at; hosts whose name begins with "bad" are broken."""
    seen: Walked = []

    def look(targets: Sequence[Target], options: Options) -> list[Report]:
        seen.append((targets, options))
        return [
            ordered(
                one.url,
                [Link(Name.UDP, not one.host.startswith("bad"), "said", "do"), Link(Name.H3, True, "200")],
            )
            for one in targets
        ]

    monkeypatch.setattr(module, "_look", look)
    return seen


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *arguments])


def test_a_healthy_host(walked: Walked) -> None:
    result = run("https://good.test/")
    assert result.exit_code == 0 and result.stdout.startswith("https://good.test/: HTTP/3 works\n")


def test_a_broken_host(walked: Walked) -> None:
    assert run("https://bad.test/").exit_code == 2
    assert run("https://good.test/", "https://bad.test/").exit_code == 2


def test_json_of_one_is_an_object_and_of_several_a_list(walked: Walked) -> None:
    single = json.loads(run("-o", "json", "https://bad.test/").stdout)
    assert list(single) == ["url", "healthy", "broken", "links"] and len(single["links"]) == 17
    assert single["broken"] == "udp" and not single["healthy"]
    several = json.loads(run("-o", "json", "https://good.test/", "https://bad.test/").stdout)
    assert [one["healthy"] for one in several] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name a URL"),
        (("http://shop.test/",), "Did you mean https://shop.test/?"),
        (("https://a b/",), "no URL"),
        (("--nonsense", "https://shop.test/"), "No such option"),
        (("--resolve", "x", "https://shop.test/"), "HOST:PORT:ADDRESS"),
        (("--connect-to", "x", "https://shop.test/"), "HOST1:PORT1"),
        (
            ("--cacert", "/nowhere/ca.pem", "https://shop.test/"),
            "/nowhere/ca.pem cannot be read: No such file",
        ),
        (("--key", "/nowhere", "https://shop.test/"), "--key needs --cert"),
        (("--watch", "0", "https://shop.test/"), "no number of seconds"),
        (("--max-time", "0", "https://shop.test/"), "Invalid value"),
        (("--dns-servers", "dns.test", "https://shop.test/"), "is not ADDRESS"),
    ],
)
def test_what_cannot_be_looked_at_ends_with_1(walked: Walked, arguments: tuple[str, ...], why: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1 and why in result.stderr and "Traceback" not in result.stderr
    assert walked == []


def test_files_are_judged_before_anything_is_asked(walked: Walked, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.certificate)
    (tmp_path / "none.pem").write_text("nothing")
    (tmp_path / "binary.pem").write_bytes(b"\xff\xfe\0")
    assert run("--cacert", str(tmp_path / "ca.pem"), "https://good.test/").exit_code == 0
    assert walked[0][1].ca_pem == AUTHORITY.certificate.decode()
    for option, name in (("--cacert", "none.pem"), ("--cert", "ca.pem"), ("--cacert", "binary.pem")):
        result = run(option, str(tmp_path / name), "https://good.test/")
        assert result.exit_code == 1 and "PEM" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "interval"),
    [
        (("--watch", "https://bad.test/"), 5.0),
        (("--watch", "0.5", "https://bad.test/"), 0.5),
        (("https://bad.test/", "--watch"), 5.0),
    ],
)
def test_it_looks_again_until_it_is_stopped(
    walked: Walked, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], interval: float
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", _third_time_stops(slept))
    result = run("-o", "json", *arguments)
    assert result.exit_code == 2 and slept == [interval] * 3
    assert [json.loads(line)["broken"] for line in result.stdout.splitlines()] == ["udp"] * 3
    assert walked[0][0][0].host == "bad.test"


def _third_time_stops(slept: list[float]) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    return sleep


def test_a_look_that_is_stopped_says_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(targets: Sequence[Target], options: Options) -> list[Report]:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_look", look)
    assert run("https://good.test/").exit_code == 1
