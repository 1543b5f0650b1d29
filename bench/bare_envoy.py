"""Envoys with the smallest static configuration: the backend of the measurements, and what we compare with."""

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import measure
from mizzen.demo.certificates import KeyPair
from mizzen.node import instance as running
from mizzen.proxy.binary import envoy_binary

TYPE = "type.googleapis.com/envoy.extensions."
HCM = f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{TYPE}filters.http.router.v3.Router"


DOWNSTREAM_TLS = f"{TYPE}transport_sockets.tls.v3.DownstreamTlsContext"
BUFFER = f"{TYPE}filters.http.buffer.v3.Buffer"
QUIC = f"{TYPE}transport_sockets.quic.v3.QuicDownstreamTransport"
SMALL = {"/": "x" * 100}


def _hcm(
    routes: Sequence[dict[str, Any]], codec: str, filters: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    config: dict[str, Any] = {
        "@type": HCM,
        "stat_prefix": "bench",
        "codec_type": codec,
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
            "max_direct_response_body_size_bytes": 2**21,
        },
        "http_filters": [*filters, {"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    if codec == "HTTP3":
        config["http3_protocol_options"] = {}
    return [{"name": "hcm", "typed_config": config}]


def _address(port: int) -> dict[str, Any]:
    return {"address": "127.0.0.1", "port_value": port}


def _certificate(pair: KeyPair) -> dict[str, Any]:
    chain, key = ({"inline_string": part.decode()} for part in (pair.certificate, pair.key))
    return {"tls_certificates": [{"certificate_chain": chain, "private_key": key}]}


def backend(
    port: int,
    bodies: Mapping[str, str] = SMALL,
    *,
    status: int = 200,
    reads_bodies: bool = False,
    tls: KeyPair | None = None,
    client_ca: str = "",
) -> dict[str, Any]:
    """Answers everything by the first prefix of `bodies` that fits: over HTTP/1.1, or 2 for those who begin with it.

    `reads_bodies`: answers when it has all of a request. Without, it answers before the body is there, and Envoy then
    closes the connection. With `tls` over TLS alone, and to clients alone with a certificate of `client_ca` (PEM).
    """
    whole = {"@type": BUFFER, "max_request_bytes": 2**20}
    filters = [{"name": "buffer", "typed_config": whole}] if reads_bodies else []
    routes = [
        {"match": {"prefix": prefix}, "direct_response": {"status": status, "body": {"inline_string": text}}}
        for prefix, text in bodies.items()
    ]
    chain: dict[str, Any] = {"filters": _hcm(routes, "AUTO", filters)}
    if tls is not None:
        context = {**_certificate(tls), "alpn_protocols": ["h2", "http/1.1"]}
        context["validation_context"] = {"trusted_ca": {"inline_string": client_ca}}
        chain["transport_socket"] = {
            "name": "tls",
            "typed_config": {
                "@type": DOWNSTREAM_TLS,
                "common_tls_context": context,
                "require_client_certificate": True,
            },
        }
    return {"listeners": [{"address": {"socket_address": _address(port)}, "filter_chains": [chain]}]}


def proxy(port: int, upstream: int, pair: KeyPair) -> dict[str, Any]:
    """TLS over TCP and QUIC on one port, everything to the backend over HTTP/1.1."""
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}}]
    tls = _certificate(pair)
    tcp_socket = {
        "name": "tls",
        "typed_config": {
            "@type": DOWNSTREAM_TLS,
            "common_tls_context": {**tls, "alpn_protocols": ["h2", "http/1.1"]},
        },
    }
    quic_socket = {
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": QUIC,
            "downstream_tls_context": {"common_tls_context": {**tls, "alpn_protocols": ["h3"]}},
        },
    }
    address = _address(port)
    endpoint = {"endpoint": {"address": {"socket_address": _address(upstream)}}}
    return {
        "listeners": [
            {
                "name": "tcp",
                "address": {"socket_address": address},
                "filter_chains": [{"transport_socket": tcp_socket, "filters": _hcm(routes, "AUTO")}],
            },
            {
                "name": "quic",
                "address": {"socket_address": {**address, "protocol": "UDP"}},
                "udp_listener_config": {"quic_options": {}, "downstream_socket_config": {"prefer_gro": True}},
                "filter_chains": [{"transport_socket": quic_socket, "filters": _hcm(routes, "HTTP3")}],
            },
        ],
        "clusters": [
            {
                "name": "backend",
                "type": "STATIC",
                "load_assignment": {
                    "cluster_name": "backend",
                    "endpoints": [{"lb_endpoints": [endpoint]}],
                },
            }
        ],
    }


@contextlib.contextmanager
def envoy(resources: dict[str, Any], concurrency: int = 1) -> Iterator[int]:
    """Run one until the block ends; its pid."""
    with tempfile.TemporaryDirectory(prefix="mz-") as folder:
        admin = Path(folder) / "admin.sock"
        config = {
            "node": {"id": "bench", "cluster": "bench"},
            "admin": {"address": {"pipe": {"path": str(admin)}}},
            "static_resources": resources,
        }
        path = Path(folder) / "envoy.json"
        path.write_text(json.dumps(config))
        command = [str(envoy_binary()), "-c", str(path), "--disable-hot-restart", "-l", "error"]
        # A session of its own, as `mizzen up` has: the kernel shares CPU out by session (sched(7), autogroups), and a
        # server in that of the load would get another share.
        process = subprocess.Popen([*command, "--concurrency", str(concurrency)], start_new_session=True)
        try:
            deadline = time.monotonic() + 10
            while True:
                with contextlib.suppress(OSError):
                    if running.get(admin, "/ready")[0] == 200:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("bench: the bare Envoy does not start")
                time.sleep(0.02)
            yield process.pid
        finally:
            process.terminate()
            process.wait(10)


def counters(pid: int, pattern: str) -> dict[str, int]:
    """The counters and gauges of a running one whose names match."""
    folder = Path(measure.command(pid)[2]).parent
    _, text = running.get(folder / "admin.sock", f"/stats?filter={pattern}")
    lines = (line.rpartition(": ") for line in text.decode().splitlines())
    return {name: int(value) for name, _, value in lines if value.isdigit()}
