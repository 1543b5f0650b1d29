"""The agent's port in a Pod (15020): the probes of applications, the proxy's own readiness, and its metrics."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import grpc
import grpc.aio
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from mizzen.inject.probes import PATH
from mizzen.node.health import Readiness, envoy_state
from mizzen.node.http_server import SmallHttp, answer
from mizzen.proxy.admin import Admin

READY, METRICS = "/healthz/ready", "/stats/prometheus"
_PROBE_SECONDS = 1.0  # where a probe does not say (Kubernetes)
_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = 1


class ProbersError(ValueError):
    """ISTIO_KUBE_APP_PROBERS cannot be read."""


def probers(text: str) -> dict[str, Any]:
    """What is to be asked, by path. Raises ProbersError."""
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ProbersError(f"ISTIO_KUBE_APP_PROBERS is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ProbersError("ISTIO_KUBE_APP_PROBERS is no mapping")
    return found


class AppHealth(SmallHttp):
    """Answers on all addresses of the Pod."""

    def __init__(self, asked: Mapping[str, Any], readiness: Readiness, admin: Admin, address: str) -> None:
        """`asked`: as `probers` reads them. `address`: of the Pod, where applications listen."""
        super().__init__()
        self._asked, self._readiness, self._admin = asked, readiness, admin
        self._address = address

    async def start(self, port: int) -> None:
        """Bind and answer. OSError when the port is taken."""
        await self.listen_at("::" if ":" in self._address else "0.0.0.0", port)

    async def answer(self, method: str, target: str) -> bytes:
        """What the proxy, or an application, says of itself."""
        path = target.partition("?")[0]
        if method not in ("GET", "HEAD"):
            return answer(HTTPStatus.METHOD_NOT_ALLOWED, "ask with GET", method)
        if path == READY:
            return answer(*self._readiness.verdict(await envoy_state(self._admin)), method)
        if path == METRICS:
            return await self._metrics(method)
        if path in self._asked:
            why = await self._probe(self._asked[path])
            return answer(HTTPStatus.INTERNAL_SERVER_ERROR if why else HTTPStatus.OK, why or "ok", method)
        return answer(HTTPStatus.NOT_FOUND, f"there is {READY}, {METRICS} and {PATH}/CONTAINER/...", method)

    async def _metrics(self, method: str) -> bytes:
        try:
            text = await self._admin.prometheus()
        except OSError as error:
            return answer(HTTPStatus.BAD_GATEWAY, f"Envoy does not answer: {error}", method)
        return answer(HTTPStatus.OK, text.rstrip("\n"), method)

    async def _probe(self, asked: Mapping[str, Any]) -> str:
        """Why the application is not well; "" when it is."""
        seconds = float(asked.get("timeoutSeconds") or _PROBE_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                if "httpGet" in asked:
                    return await asyncio.to_thread(self._http, asked["httpGet"], seconds)
                if "tcpSocket" in asked:
                    host = asked["tcpSocket"].get("host") or self._address
                    _, writer = await asyncio.open_connection(host, asked["tcpSocket"]["port"])
                    writer.close()
                    return ""
                return await self._grpc(asked["grpc"])
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except (OSError, http.client.HTTPException, grpc.aio.AioRpcError, KeyError, ValueError) as error:
            return str(error) or type(error).__name__

    def _http(self, asked: Mapping[str, Any], seconds: float) -> str:
        """As the kubelet asks: certificates are not verified, and a redirection is as good as an answer."""
        host, port = asked.get("host") or self._address, int(asked["port"])
        headers = {one["name"]: one["value"] for one in asked.get("httpHeaders") or ()}
        headers = {"User-Agent": "kube-probe/mizzen", "Accept": "*/*", "Connection": "close", **headers}
        if asked.get("scheme", "HTTP").upper() == "HTTPS":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=seconds)
        try:
            path = asked.get("path") or "/"
            connection.request("GET", path if path.startswith("/") else f"/{path}", headers=headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        return "" if 200 <= status < 400 else f"the application answered {status}"

    async def _grpc(self, asked: Mapping[str, Any]) -> str:
        """The health protocol of gRPC. Its two messages have one field each, a string and an enum of number 1
        (grpc/health/v1/health.proto), and are on the wire what protobuf's wrappers of these types are."""
        request = StringValue(value=str(asked.get("service") or ""))
        async with grpc.aio.insecure_channel(f"{self._address}:{int(asked['port'])}") as channel:
            check: Any = channel.unary_unary(
                _HEALTH,
                request_serializer=StringValue.SerializeToString,
                response_deserializer=Int32Value.FromString,
            )
            found: Int32Value = await check(request)
        return "" if found.value == _SERVING else "the application says that it does not serve"
