"""Envoys with the smallest static configuration: the backend of the measurements, and what we compare with."""

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mizzen.node import instance as running
from mizzen.proxy.binary import envoy_binary

TYPE = "type.googleapis.com/envoy.extensions."
HCM = f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{TYPE}filters.http.router.v3.Router"


def _hcm(route: dict[str, Any], codec: str) -> list[dict[str, Any]]:
    config: dict[str, Any] = {
        "@type": HCM,
        "stat_prefix": "bench",
        "codec_type": codec,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    if codec == "HTTP3":
        config["http3_protocol_options"] = {}
    return [{"name": "hcm", "typed_config": config}]


def backend(port: int, text: str = "x" * 100) -> dict[str, Any]:
    """Answers `text` to everything over plain HTTP/1.1."""
    answer = {"status": 200, "body": {"inline_string": text}}
    route = {"match": {"prefix": "/"}, "direct_response": answer}
    return {
        "listeners": [
            {
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                "filter_chains": [{"filters": _hcm(route, "AUTO")}],
            }
        ]
    }


def proxy(port: int, upstream: int, certificate: str, key: str) -> dict[str, Any]:
    """TLS over TCP and QUIC on one port, everything to the backend."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}}
    tls = {
        "tls_certificates": [
            {"certificate_chain": {"inline_string": certificate}, "private_key": {"inline_string": key}}
        ]
    }
    tcp_socket = {
        "name": "tls",
        "typed_config": {
            "@type": f"{TYPE}transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {**tls, "alpn_protocols": ["h2", "http/1.1"]},
        },
    }
    quic_socket = {
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": f"{TYPE}transport_sockets.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": {"common_tls_context": {**tls, "alpn_protocols": ["h3"]}},
        },
    }
    address = {"address": "127.0.0.1", "port_value": port}
    return {
        "listeners": [
            {
                "name": "tcp",
                "address": {"socket_address": address},
                "filter_chains": [{"transport_socket": tcp_socket, "filters": _hcm(route, "AUTO")}],
            },
            {
                "name": "quic",
                "address": {"socket_address": {**address, "protocol": "UDP"}},
                "udp_listener_config": {"quic_options": {}, "downstream_socket_config": {"prefer_gro": True}},
                "filter_chains": [{"transport_socket": quic_socket, "filters": _hcm(route, "HTTP3")}],
            },
        ],
        "clusters": [
            {
                "name": "backend",
                "type": "STATIC",
                "load_assignment": {
                    "cluster_name": "backend",
                    "endpoints": [
                        {
                            "lb_endpoints": [
                                {
                                    "endpoint": {
                                        "address": {
                                            "socket_address": {"address": "127.0.0.1", "port_value": upstream}
                                        }
                                    }
                                }
                            ]
                        }
                    ],
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
        process = subprocess.Popen([*command, "--concurrency", str(concurrency)])
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
