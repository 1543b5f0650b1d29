"""One object changed among many hosts: how long until it is served, what that costs, what is sent.

Two passes. The first asks for the changed host until the change answers: p50 and p99 of the time. The second asks
nothing, so that all CPU that is used (less what is used while nothing happens) is that of the changes.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import bare_envoy, measure, shop
from bench.running import Client, Cpu, Processes, running
from tests.harness.clients import handshake

CHANGES = 20
_WARM = 2  # changes before those that count
_APART = 0.3  # seconds between two changes: each by itself
_SERVICES = 1_000  # at most

KINDS = ("virtualservice", "endpoint", "secret", "destinationrule")


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what makes it, and how to wait until it is served."""

    make: Callable[[], None]
    wait: Callable[[], None]


Steps = Callable[[shop.Shop, Client, int], Callable[[int], Step]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench change", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--changes", type=int, default=CHANGES)
    chosen = parser.parse_args(arguments)
    for kind in chosen.kind:
        table(f"One {kind} changed among N hosts", chosen.hosts, kind, chosen.changes)


def table(title: str, counts: list[int], kind: str, changes: int, *, wildcard: bool = False) -> None:
    """Measure and print a row for each count."""
    measure.headline(
        f"{title}: file write -> served ({changes} changes; CPU in ms, sent in bytes per change)"
    )
    measure.row(
        "hosts", "p50 ms", "p99 ms", "CPU plane", "superv.", "envoy", "together", "sent", "plane MB",
        widths=(10,),
    )  # fmt: skip
    for count in counts:
        figures = measured(count, kind, changes, wildcard=wildcard)
        cpu = figures.cpu.scaled(1_000)
        measure.row(
            f"{count:,}",
            measure.percentile(figures.milliseconds, 0.5),
            measure.percentile(figures.milliseconds, 0.99),
            cpu.control_plane,
            cpu.supervisor,
            cpu.envoy,
            cpu.total,
            f"{figures.sent:,.0f}",
            figures.memory,
            widths=(10,),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of one measurement."""

    milliseconds: list[float]  # write -> served, of each change
    cpu: Cpu  # seconds for each change
    sent: float  # bytes to Envoy for each change
    memory: float  # MB of the control plane


def measured(count: int, kind: str, changes: int, *, wildcard: bool = False) -> Figures:
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        if wildcard:
            place.write("wild", shop.virtual_service(count, "0", hosts=f"*.wild.{shop.DOMAIN}"))
        write_all(place, kind, count)
        for text, port in zip("ab", shop.BACKENDS, strict=True):
            stack.enter_context(bare_envoy.envoy(bare_envoy.backend(port, {"/": text})))
        up = stack.enter_context(running(place.folder))
        client = Client(place.authority.pem)
        stack.callback(client.close)
        step = _STEPS[kind](place, client, count)
        return figures(up, step, changes)


def figures(up: Processes, step: Callable[[int], Step], changes: int) -> Figures:
    """`step(n)` is the n-th change, from 1."""
    numbers = iter(range(1, 10**9))
    waited = []
    for turn in range(_WARM + changes):
        one = step(next(numbers))
        time.sleep(_APART)
        begin = time.monotonic()
        one.make()
        one.wait()
        if turn >= _WARM:
            waited.append((time.monotonic() - begin) * 1_000)
    apart = max(_APART, 3 * measure.median(waited) / 1_000)  # by itself, also where one takes long
    time.sleep(apart)
    idle = up.idle()
    sent = up.received()
    before, begin = up.cpu(), time.monotonic()
    for _ in range(changes):
        one = step(next(numbers))
        one.make()
        time.sleep(apart)
    used = up.cpu() - before - idle.scaled(time.monotonic() - begin)
    one.wait()
    return Figures(
        milliseconds=waited,
        cpu=used.scaled(1 / changes),
        sent=(up.received() - sent) / changes,
        memory=measure.memory(up.control_plane),
    )


def write_all(place: shop.Shop, kind: str, count: int) -> None:
    """`count` hosts, and the services that a kind of change needs."""
    services = min(count, _SERVICES)
    for number in range(services if kind in ("endpoint", "destinationrule") else 0):
        if kind == "endpoint":
            place.write(f"service-{number}", shop.service(number))
            place.write(f"slice-{number}", shop.endpoint_slice(number, shop.BACKENDS[0]))
        else:
            place.write(f"service-{number}", shop.service_entry(number))
            place.write(f"rule-{number}", shop.destination_rule(number, 0))
    for number in range(count):
        place.write(f"route-{number}", _route(kind, number, "0", services))


def _route(kind: str, number: int, version: str, services: int) -> str:
    if kind == "endpoint":
        return shop.virtual_service(number, version, service=shop.service_host(number % services))
    if kind == "destinationrule":
        return shop.virtual_service(number, version, service=f"entry-{number % services}.test", subset="live")
    return shop.virtual_service(number, version)


def _other(number: int, count: int) -> int:
    """Another host (or service) for each change, spread over all."""
    return number * 7_919 % count


def _virtual_services(place: shop.Shop, client: Client, count: int) -> Callable[[int], Step]:
    def step(number: int) -> Step:
        changed = _other(number, count)
        text = shop.virtual_service(changed, f"{number}")
        return Step(
            make=lambda: place.write(f"route-{changed}", text),
            wait=lambda: _waited(client.until(shop.host(changed), f"{number}")),
        )

    return step


def _endpoints(place: shop.Shop, client: Client, count: int) -> Callable[[int], Step]:
    asked_now = dict.fromkeys(range(min(count, _SERVICES)), 0)  # which backend each service has

    def step(number: int) -> Step:
        changed = _other(number, len(asked_now))
        asked_now[changed] = 1 - asked_now[changed]
        which = asked_now[changed]
        text = shop.endpoint_slice(changed, shop.BACKENDS[which])
        return Step(
            make=lambda: place.write(f"slice-{changed}", text),
            wait=lambda: _waited(client.until(shop.host(changed), "ab"[which], "/part-0")),
        )

    return step


def _destination_rules(place: shop.Shop, client: Client, count: int) -> Callable[[int], Step]:
    live = dict.fromkeys(range(min(count, _SERVICES)), 0)

    def step(number: int) -> Step:
        changed = _other(number, len(live))
        live[changed] = 1 - live[changed]
        which = live[changed]
        text = shop.destination_rule(changed, which, number)
        return Step(
            make=lambda: place.write(f"rule-{changed}", text),
            wait=lambda: _waited(client.until(shop.host(changed), "ab"[which], "/part-0")),
        )

    return step


def _secrets(place: shop.Shop, _client: Client, _count: int) -> Callable[[int], Step]:
    def step(_number: int) -> Step:
        pair = place.authority.server(f"*.{shop.DOMAIN}")
        text = shop.secret(pair)
        wanted = pair.certificate.decode().strip()

        def wait() -> None:
            begin = time.monotonic()
            while handshake(shop.host(0), 8443).leaf_pem.strip() != wanted:
                if time.monotonic() - begin > 120:
                    raise SystemExit("bench: the certificate is not served")
                time.sleep(0.001)

        return Step(make=lambda: place.write("secret", text), wait=wait)

    return step


def _waited(_: float) -> None:
    """`figures` takes the time."""


_STEPS: dict[str, Steps] = {
    "virtualservice": _virtual_services,
    "endpoint": _endpoints,
    "secret": _secrets,
    "destinationrule": _destination_rules,
}
