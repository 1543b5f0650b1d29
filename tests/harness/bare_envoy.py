"""An Envoy that nobody controls: HTTPS servers over TCP and QUIC from a static configuration, each right or wrong in its own way."""

import contextlib
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizzen.demo.certificates import KeyPair
from mizzen.proxy.binary import envoy_binary

TYPES = "type.googleapis.com/envoy.extensions."
SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """One HTTPS server. Clients dial `port` over TCP and `quic_port` (0: the same, None: none) over UDP."""

    port: int
    pair: KeyPair
    quic_pair: KeyPair | None = None  # None: the same
    quic_port: int | None = 0
    alt_svc: str | None = None  # None: the right one
    quic_alt_svc: str | None = None  # None: as over TCP
    client_ca: str = ""  # over TCP
    quic_client_ca: str = ""
    addresses: tuple[str, ...] = ("127.0.0.1",)
    quic_addresses: tuple[str, ...] = ()  # (): the same
    early_data: bool = False
    rejects: bool = False  # new QUIC connections
    body: str = "hello\n"
    quic_body: str = ""  # "": the same


def _manager(codec: str, name: str, alt_svc: str, body: str) -> dict[str, Any]:
    routes = [
        {"match": {"path": "/"}, "direct_response": {"status": 200, "body": {"inline_string": body}}},
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
    ]
    table: dict[str, Any] = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}
    if alt_svc:
        table["response_headers_to_add"] = [{"header": {"key": "alt-svc", "value": alt_svc}}]
    return {
        "name": "hcm",
        "typed_config": {
            "@type": f"{TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager",
            "codec_type": codec,
            "stat_prefix": name,
            "route_config": table,
            "http_filters": [
                {
                    "name": "router",
                    "typed_config": {"@type": f"{TYPES}filters.http.router.v3.Router"},
                }
            ],
        },
    }


def _tls(pair: KeyPair, alpn: list[str], client_ca: str) -> dict[str, Any]:
    common: dict[str, Any] = {
        "alpn_protocols": alpn,
        "tls_certificates": [
            {
                "certificate_chain": {"inline_string": pair.certificate.decode()},
                "private_key": {"inline_string": pair.key.decode()},
            }
        ],
    }
    if client_ca:
        common["validation_context"] = {"trusted_ca": {"inline_string": client_ca}}
    return {"common_tls_context": common, "require_client_certificate": bool(client_ca)}


def _listener(name: str, protocol: str, address: str, port: int, chain: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "address": {"socket_address": {"protocol": protocol, "address": address, "port_value": port}},
        "filter_chains": [chain],
    }


def listeners(site: Site) -> list[dict[str, Any]]:
    """Those of a site, a pair for each of its addresses."""
    udp_port = site.quic_port or site.port
    alt_svc = f'h3=":{udp_port}"; ma=86400' if site.alt_svc is None else site.alt_svc
    over_quic = alt_svc if site.quic_alt_svc is None else site.quic_alt_svc
    made = []
    for address in site.addresses:
        name = f"tcp-{address}-{site.port}"
        context = _tls(site.pair, ["h2", "http/1.1"], site.client_ca)
        context["@type"] = f"{TYPES}transport_sockets.tls.v3.DownstreamTlsContext"
        chain = {
            "filters": [_manager("AUTO", name, alt_svc, site.body)],
            "transport_socket": {"name": "tls", "typed_config": context},
        }
        made.append(_listener(name, "TCP", address, site.port, chain))
    if site.quic_port is None:
        return made
    for address in site.quic_addresses or site.addresses:
        name = f"quic-{address}-{udp_port}"
        transport = {
            "@type": f"{TYPES}transport_sockets.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": _tls(site.quic_pair or site.pair, ["h3"], site.quic_client_ca),
            "enable_early_data": site.early_data,
        }
        chain = {
            "filters": [_manager("HTTP3", name, over_quic, site.quic_body or site.body)],
            "transport_socket": {"name": "envoy.transport_sockets.quic", "typed_config": transport},
        }
        one = _listener(name, "UDP", address, udp_port, chain)
        one["udp_listener_config"] = {"quic_options": {"reject_new_connections": site.rejects}}
        made.append(one)
    return made


@contextlib.contextmanager
def bare_envoy(sites: Sequence[Site], *, workers: int = 1) -> Iterator[None]:
    """All of `sites` served until the block ends."""
    static = {"listeners": [one for site in sites for one in listeners(site)]}
    with tempfile.TemporaryDirectory(prefix="bare-") as folder:
        path = Path(folder, "envoy.json")
        path.write_text(json.dumps({"static_resources": static}))
        with Path(folder, "log").open("w+") as log:
            process = subprocess.Popen(
                [
                    str(envoy_binary()),
                    "-c",
                    str(path),
                    "--concurrency",
                    str(workers),
                    "--disable-hot-restart",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait(process, [(one, site.port) for site in sites for one in site.addresses], Path(log.name))
                yield
            finally:
                process.terminate()
                process.wait(SECONDS)


def _wait(process: subprocess.Popen[bytes], wanted: Sequence[tuple[str, int]], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    for where in wanted:
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{where} does not open: {log.read_text()}"
            with contextlib.suppress(OSError), socket.create_connection(where, 0.2):
                break
            time.sleep(0.02)
