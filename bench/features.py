"""What each feature costs: CPU per request with it alone, beside a bare Envoy; and Envoy's memory for 1,000 hosts."""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import bare_envoy, feature_files, measure, paired, shop, subjects
from bench.feature_files import FEATURES, Feature, Site
from bench.running import Client, running
from bench.subjects import Bench
from mizzen.demo import certificates
from tests.harness.gateway import now
from tests.harness.issuer import Issuer

MEMORY = "memory"
HOSTS = (100, 1_000, 5_000)
_TLS_UPSTREAM, _COLLECTOR, _AUTHORIZER = 18081, 18082, 18083
_A_DAY = 86_400


def main(arguments: list[str]) -> None:
    names = [*(feature.name for feature in FEATURES), MEMORY]
    parser = argparse.ArgumentParser(prog="bench features", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--hosts", type=int, nargs="+", default=HOSTS, help=f"for {MEMORY}")
    paired.add_sizes(parser)
    chosen = parser.parse_args(arguments)
    features = [feature for feature in FEATURES if feature.name in chosen.only]
    if features:
        _table(features, chosen.requests, chosen.rounds)
    if MEMORY in chosen.only:
        _memory(chosen.hosts)


def _table(features: Sequence[Feature], requests: int, rounds: int) -> None:
    measure.headline(
        f"CPU per request in us, and its ratio to a bare Envoy, with a feature switched on alone ({requests:,} requests x "
        f"{rounds} rounds in turns, {paired.IN_FLIGHT} in flight, one worker on one core)"
    )
    widths = (16, *[8, 8, 9] * len(paired.PROTOCOLS))
    titles = [title for protocol in paired.PROTOCOLS for title in (protocol, "ratio", "control")]
    measure.row("", *titles, widths=widths)
    with subjects.bench(paired.cores()) as bench, _site(bench) as site:
        for feature in features:
            files = {**feature_files.base(bench.pair, site.upstream), **feature.files(site)}
            with subjects.mizzen(feature.name, files, bench, feature.headers(site)) as up:
                cells: list[str] = []
                for protocol in paired.PROTOCOLS:
                    _, again, ours = paired.compared(
                        (*bench.bare, up.subject), protocol, bench.authority.pem, requests, rounds
                    )
                    cells += [f"{ours.value:.1f}", f"{ours.ratio:.3f}", f"{again.ratio:.3f}"]
                if feature.counter and not sum(up.processes.stats(feature.counter).values()):
                    raise SystemExit(f"bench: {feature.name} was not at work: {feature.counter} is 0")
            measure.row(feature.name, *cells, widths=widths)
    print("  control: a second bare Envoy that is like the first; smaller differences say nothing")


@contextlib.contextmanager
def _site(bench: Bench) -> Iterator[Site]:
    """What features need around the gateway, running."""
    issuer = Issuer()
    client = certificates.client("gateway.test", bench.authority.pair, now())
    with contextlib.ExitStack() as stack:
        secured = bare_envoy.backend(_TLS_UPSTREAM, tls=bench.pair, client_ca=bench.authority.pem)
        stack.enter_context(bare_envoy.envoy(secured))
        collector = bare_envoy.backend(_COLLECTOR, {"/": "{}"}, status=202, reads_bodies=True)
        stack.enter_context(bare_envoy.envoy(collector))
        authorizer = bare_envoy.backend(_AUTHORIZER, {"/": ""})
        stack.enter_context(bare_envoy.envoy(authorizer))
        logs = stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))
        yield Site(
            upstream=subjects.UPSTREAM,
            tls_upstream=_TLS_UPSTREAM,
            collector=_COLLECTOR,
            authorizer=_AUTHORIZER,
            access_log=f"{logs}/access.log",
            client=client,
            ca=bench.authority.pem,
            jwks=issuer.jwks,
            token=issuer.token(exp=int(time.time()) + _A_DAY),
        )


def _memory(counts: Sequence[int]) -> None:
    measure.headline("Envoy's memory by hosts, each a VirtualService with three rules (resident, in MB)")
    measure.row("hosts", "MB", "MB per 1,000", widths=(10, 10, 14))
    before: tuple[int, float] | None = None
    for count in counts:
        used = _resident(count)
        more = "" if before is None else f"{(used - before[1]) / (count - before[0]) * 1_000:.1f}"
        measure.row(f"{count:,}", used, more, widths=(10, 10, 14))
        before = (count, used)
    print("  MB per 1,000: of the hosts that the row above has not")


def _resident(count: int) -> float:
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        place.write_routes(count)
        up = stack.enter_context(running(place.folder))
        client = Client(place.authority.pem)
        stack.callback(client.close)
        for number in (0, count - 1):
            client.until(shop.host(number), "0")
        return measure.memory(up.envoy)
