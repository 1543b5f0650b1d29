"""HTTP/3: the packets and the CPU of each answer, by what may make a bare Envoy gather them."""

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import bare_envoy, measure, paired, subjects
from bench.bare_envoy import TYPE
from bench.paired import Subject
from mizzen.probe.load import Load
from tests.harness.clients import asked
from tests.harness.gateway import HOST

PORT = 18445
PACKETS = 3_000  # answers whose packets are counted
_PERIOD = 0.2  # seconds between two times that Envoy counts packets
_HTTP_OPTIONS = f"{TYPE}upstreams.http.v3.HttpProtocolOptions"
_COUNTERS = "quic_stats.cx_(tx|rx)_packets_total"
Resources = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """A bare Envoy with one thing changed."""

    name: str
    change: Callable[[Resources], None]
    workers: int = 1


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench quic", description=__doc__)
    paired.add_sizes(parser)
    chosen = parser.parse_args(arguments)
    measure.headline(
        f"One answer over HTTP/3: packets to and from the client, CPU in us, and its ratio to a bare Envoy "
        f"({chosen.requests:,} requests x {chosen.rounds} rounds in turns, {paired.IN_FLIGHT} in flight)"
    )
    widths = (30,)
    measure.row("", "sent", "received", "us", "ratio", "control", widths=widths)
    with subjects.bench(paired.cores()) as bench:
        for variant in VARIANTS:
            resources = bare_envoy.proxy(PORT, subjects.UPSTREAM, bench.pair)
            _count_packets(resources)
            variant.change(resources)
            with contextlib.ExitStack() as stack:
                cores = bench.cores.subject if variant.workers == 1 else frozenset(range(os.cpu_count() or 1))
                with paired.on(cores):
                    pid = stack.enter_context(bare_envoy.envoy(resources, variant.workers))
                sent, received = _packets(pid, bench.authority.pem)
                changed = Subject(name=variant.name, pids=(pid,), port=PORT)
                _, again, ours = paired.compared(
                    (*bench.bare, changed), "h3", bench.authority.pem, chosen.requests, chosen.rounds
                )
            measure.row(
                variant.name,
                f"{sent:.2f}",
                f"{received:.2f}",
                ours.value,
                f"{ours.ratio:.3f}",
                f"{again.ratio:.3f}",
                widths=widths,
            )
    print("  control: a second bare Envoy that is like the first; smaller differences say nothing")


def _packets(pid: int, ca_pem: str) -> tuple[float, float]:
    """Packets sent and received for each answer, of a load on one connection."""
    counts: list[dict[str, int]] = []

    def mark(answers: int) -> None:
        if len(counts) < 2 and answers >= PACKETS * len(counts) + 1:
            time.sleep(_PERIOD * 2)  # what was sent is counted by then, and nothing is asked meanwhile
            counts.append({**bare_envoy.counters(pid, _COUNTERS), "answers": answers})

    asking = asked("h3", f"https://{HOST}:{PORT}/", ca_pem=ca_pem, timeout=30)
    tally = Load(asking, in_flight=paired.IN_FLIGHT, on_answers=mark).run(
        count=PACKETS + 2 * paired.IN_FLIGHT
    )
    if tally.failed:
        raise SystemExit(f"bench: {tally}")
    first, last = counts
    answers = last["answers"] - first["answers"]
    sent, received = (
        sum(last[name] - first[name] for name in last if f"_{way}_" in name) for way in ("tx", "rx")
    )
    return sent / answers, received / answers


# --- what is changed --------------------------------------------------------------------------------


def _quic(resources: Resources) -> Resources:
    """The QUIC listener's own options."""
    options: Resources = resources["listeners"][1]["udp_listener_config"]
    return options


def _manager(resources: Resources) -> Resources:
    manager: Resources = resources["listeners"][1]["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def _count_packets(resources: Resources) -> None:
    visitor = {
        "@type": f"{TYPE}quic.connection_debug_visitor.quic_stats.v3.Config",
        "update_period": f"{_PERIOD}s",
    }
    _quic(resources)["quic_options"]["connection_debug_visitor_config"] = {
        "name": "envoy.quic.connection_debug_visitor.quic_stats",
        "typed_config": visitor,
    }


def _nothing(_: Resources) -> None:
    pass


def _http2_upstream(resources: Resources) -> None:
    options = {"@type": _HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}
    resources["clusters"][0]["typed_extension_protocol_options"] = {_HTTP_OPTIONS.rpartition("/")[2]: options}


def _no_idle_timer(resources: Resources) -> None:
    _manager(resources)["stream_idle_timeout"] = "0s"


def _both(resources: Resources) -> None:
    _http2_upstream(resources)
    _no_idle_timer(resources)


def _no_dynamic_table(resources: Resources) -> None:
    _manager(resources)["http3_protocol_options"] = {"disable_qpack": True}


def _connection_option(name: str) -> Callable[[Resources], None]:
    def change(resources: Resources) -> None:
        _quic(resources)["quic_options"].setdefault("quic_protocol_options", {})["connection_options"] = name

    return change


def _more_packets_at_once(resources: Resources) -> None:
    _quic(resources)["quic_options"]["packets_to_read_to_connection_count_ratio"] = 256


def _more_sessions_at_once(resources: Resources) -> None:
    _quic(resources)["quic_options"]["max_sessions_per_event_loop"] = 256


def _gso(resources: Resources) -> None:
    _quic(resources)["udp_packet_packet_writer_config"] = {
        "name": "gso",
        "typed_config": {"@type": f"{TYPE}udp_packet_writer.v3.UdpGsoBatchWriterFactory"},
    }


def _plain_writer(resources: Resources) -> None:
    _quic(resources)["udp_packet_packet_writer_config"] = {
        "name": "plain",
        "typed_config": {"@type": f"{TYPE}udp_packet_writer.v3.UdpDefaultWriterFactory"},
    }


def _buffered(resources: Resources) -> None:
    """Answers that are held back until they are whole."""
    config = {
        "@type": f"{TYPE}filters.http.file_system_buffer.v3.FileSystemBufferFilterConfig",
        "manager_config": {"thread_pool": {"thread_count": 1}},
        "response": {"behavior": {"fully_buffer": {}}},
    }
    _manager(resources)["http_filters"].insert(0, {"name": "buffer", "typed_config": config})


def _no_gro(resources: Resources) -> None:
    _quic(resources)["downstream_socket_config"] = {"prefer_gro": False}


VARIANTS = (
    Variant("nothing", _nothing),
    Variant("HTTP/2 to the backend", _http2_upstream),
    Variant("no idle timer of streams", _no_idle_timer),
    Variant("both", _both),
    Variant("no dynamic QPACK table", _no_dynamic_table),
    Variant("BBRv2 (B2ON)", _connection_option("B2ON")),
    Variant("ACK decimation (AKD3)", _connection_option("AKD3")),
    Variant("ACKs for 1/4 of the RTT (AKDQ)", _connection_option("AKDQ")),
    Variant("256 packets for each event", _more_packets_at_once),
    Variant("256 sessions for each event", _more_sessions_at_once),
    Variant("the GSO writer by name", _gso),
    Variant("the writer without GSO", _plain_writer),
    Variant("no GRO", _no_gro),
    Variant("whole answers buffered", _buffered),
    Variant("two workers", _nothing, workers=2),
)
