"""Spans and log records reach their collectors, and requests that run survive a change of what is logged."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority, eventually

pytestmark = pytest.mark.e2e

EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig:
    extensionProviders:
    - {name: spans, zipkin: {service: spans.test, port: 9411}}
    - {name: records, envoyOtelAls: {service: records.test, port: 4317, logFormat: {text: "record %REQ(:PATH)%"}}}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      k8s: {service: {ports: [{name: https, port: 443, targetPort: 8443}, {name: http3, port: 443, targetPort: 8443, protocol: UDP}]}}
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: true}}}
"""
TELEMETRY = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: all, namespace: istio-system}
spec:
  tracing:
  - providers: [{name: spans}]
    randomSamplingPercentage: 100
    customTags: {team: {literal: {value: edge}}, user: {header: {name: x-user}}}
  accessLogging: [{providers: [{name: records}]}]
"""


def entry(host: str, number: int, name: str, port: int) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: istio-system}}
spec:
  hosts: [{host}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {number}, name: tcp, protocol: TCP}}]
  endpoints: [{{address: 127.0.0.1, ports: {{tcp: {port}}}}}]
"""


class Collector:
    """Takes spans as Zipkin's JSON, and log records over OTLP; and answers requests after a while."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.records: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = b""
                while size := int(self.rfile.readline(), 16):  # Envoy sends chunks (RFC 9112, section 7.1)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                outer.spans += json.loads(body)
                self._answer(202)

            def do_GET(self) -> None:
                time.sleep(float(self.headers.get("x-wait") or 0))
                self._answer(200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.grpc = grpc.server(futures.ThreadPoolExecutor(2))
        take = grpc.unary_unary_rpc_method_handler(self._take)
        service, method = EXPORT.strip("/").split("/")
        self.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: take}),))
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")
        self.grpc.start()

    def _take(self, request: bytes, _: object) -> bytes:
        self.records.append(request)
        return b""

    @property
    def http_port(self) -> int:
        return int(self.http.server_address[1])

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.grpc.stop(None)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with ExitStack() as stack:
        made = Collector()
        stack.callback(made.close)
        yield made


def test_spans_and_records_reach_their_collectors(
    folder: Path, authority: Authority, collector: Collector
) -> None:
    site = (
        gateway.secret("shop-tls", authority.server()),
        gateway.gateway(),
        gateway.route(port=collector.http_port),
        gateway.backend(collector.http_port),
        OPERATOR,
        entry("spans.test", 9411, "spans", collector.http_port),
        entry("records.test", 4317, "records", collector.grpc_port),
    )
    (folder / "site.yaml").write_text("---\n".join(site))
    (folder / "telemetry.yaml").write_text(TELEMETRY)

    def ask(protocol: str, path: str, **headers: str) -> int:
        url = f"https://{gateway.HOST}{path}"
        return curl(protocol, url, headers=headers, ca_pem=authority.pem, connect_port=8443).status

    with gateway.up(folder):
        for protocol in ("h1", "h2", "h3"):
            assert ask(protocol, f"/{protocol}", **{"x-user": "ann"}) == 200

        def of_ann() -> list[tuple[str, str]]:  # others are of the proof of HTTP/3
            tags = [span["tags"] for span in collector.spans]
            return [(tag["team"], tag["http.status_code"]) for tag in tags if tag.get("user") == "ann"]

        eventually(lambda: of_ann() == [("edge", "200")] * 3)
        for protocol in ("h1", "h2", "h3"):
            record = f"record /{protocol}".encode()
            eventually(lambda record=record: any(record in one for one in collector.records))
        # Chains with another log take the place of those before; what runs on these comes to its end.
        with futures.ThreadPoolExecutor(3) as pool:
            running = [
                pool.submit(ask, protocol, "/slow", **{"x-wait": "3"}) for protocol in ("h1", "h2", "h3")
            ]
            time.sleep(1)
            (folder / "telemetry.yaml").unlink()
            assert [one.result() for one in running] == [200, 200, 200]
        before = len(collector.records)
        assert ask("h2", "/quiet") == 200
        time.sleep(1.2)
        assert not any(b"record /quiet" in one for one in collector.records[before:])
