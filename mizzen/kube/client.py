"""A client for a Kubernetes API server: plain objects by their paths. Who we are comes from lightkube.

Paths are those of the API ("/api/v1/namespaces/default/services"); objects are mappings as JSON has them.
"""

import random
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import yaml
from lightkube.config.client_adapter import AsyncClient, ConnectionParams, verify_cluster
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

Json = dict[str, Any]

FIELD_MANAGER = "mizzen"
APPLY, MERGE_PATCH = "application/apply-patch+yaml", "application/merge-patch+json"
_SECONDS = 30.0
_WATCH_SECONDS = 300  # then the server ends a watch, and it is taken up where it ended
# What a kubeconfig can be wrong by: each of these says it.
_UNUSABLE = (
    ConfigError,
    OSError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    yaml.YAMLError,
    msgspec.MsgspecError,
)
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class KubeError(Exception):
    """A request that was not answered as hoped. `status`: HTTP's; 0 when no answer came."""

    def __init__(self, status: int, message: str, *, reason: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status, self.reason, self.retry_after = status, reason, retry_after


class Kube:
    """One API server, as one user."""

    def __init__(self, config: SingleConfig) -> None:
        self.server = str(config.cluster.server).rstrip("/")
        self.namespace = config.namespace
        self.context = config.context_name
        self.config = config
        self._client = AsyncClient(config, ConnectionParams(timeout=httpx2.Timeout(_SECONDS)))

    async def get(self, path: str, **parameters: Any) -> Json:
        """The object at a path, or the list."""
        return await self.send("GET", path, **parameters)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **parameters: Any,
    ) -> Json:
        """What the server answered. KubeError when it refused, or cannot be reached."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {"content-type": content_type} if content is not None else {}
        try:
            answer = await self._client.request(
                method, path, params=_parameters(parameters), content=content, headers=headers
            )
        except httpx2.HTTPError as error:
            raise KubeError(0, self._unreachable(error)) from None
        except (ConfigError, OSError) as error:
            raise KubeError(0, f"no credentials for {self.server}: {error}") from None
        if answer.status_code >= 400:
            raise _refusal(answer)
        try:
            found: Json = msgspec.json.decode(answer.content) if answer.content else {}
        except (msgspec.DecodeError, RecursionError):
            raise KubeError(0, f"{self.server} is no API server: its answer to {path} is not JSON") from None
        return found

    async def text(self, path: str, **parameters: Any) -> str:
        """What is no object: a log. KubeError as `send`."""
        try:
            answer = await self._client.get(path, params=_parameters(parameters))
        except httpx2.HTTPError as error:
            raise KubeError(0, self._unreachable(error)) from None
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer.text

    async def apply(self, path: str, body: Json, *, manager: str = FIELD_MANAGER, **parameters: Any) -> Json:
        """Server-side apply: these fields are ours from now on, and have these values."""
        return await self.send(
            "PATCH", path, body, content_type=APPLY, fieldManager=manager, force="true", **parameters
        )

    async def watch(self, path: str, version: str, **parameters: Any) -> AsyncIterator[Json]:
        """Events since `version`, bookmarks among them, until the server ends it. KubeError as `send`."""
        asked = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_SECONDS + random.randrange(60)),
        } | _parameters(parameters)
        timeout = httpx2.Timeout(_SECONDS, read=_WATCH_SECONDS + 90.0)
        try:
            async with self._client.stream("GET", path, params=asked, timeout=timeout) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                    raise _refusal(answer)
                async for line in answer.aiter_lines():
                    if line:
                        yield msgspec.json.decode(line)
        except httpx2.HTTPError as error:
            raise KubeError(0, self._unreachable(error)) from None
        except (msgspec.DecodeError, RecursionError):
            raise KubeError(0, f"{self.server} ended a watch in the middle of an event") from None

    async def credentials(self) -> tuple[ssl.SSLContext | None, dict[str, str]]:
        """How another connection shows who we are: TLS, and headers. KubeError as `send`."""
        cluster, user = self.config.cluster, self.config.user
        try:
            answer = await self._client.get("/version")
        except httpx2.HTTPError as error:
            raise KubeError(0, self._unreachable(error)) from None
        said = answer.request.headers.get("authorization")
        context = None
        if self.server.startswith("https"):
            assert user is not None
            context = verify_cluster(cluster, user, self.config.abs_file)
        return context, {"authorization": said} if said else {}

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    def _unreachable(self, error: Exception) -> str:
        return f"{self.server} cannot be reached: {str(error) or type(error).__name__}"


def connect(kubeconfig: str = "", context: str = "", *, searched: str = "") -> Kube:
    """A client for the cluster that kubectl would ask.

    `kubeconfig` and `context` as its options of these names; `searched`: the value of KUBECONFIG. Without
    any of them the ServiceAccount of the Pod, then ~/.kube/config. KubeError when none can be used.
    """
    try:
        return Kube(_with_exec_v1(_config(kubeconfig, context, searched)))
    except _UNUSABLE as error:
        raise KubeError(0, f"no cluster to ask: {error}") from None


def _config(kubeconfig: str, context: str, searched: str) -> SingleConfig:
    if not (kubeconfig or searched):
        try:
            return _chosen(KubeConfig.from_service_account(), context)
        except (ConfigError, KeyError):
            searched = "~/.kube/config"
    paths = [Path(one).expanduser() for one in (kubeconfig or searched).split(":") if one]
    existing = [one for one in paths if one.is_file()]
    if not existing:
        raise ConfigError(f"there is no {' nor '.join(map(str, paths))}; say --kubeconfig, or set KUBECONFIG")
    merged: Json = {}
    for path in existing:
        _merge(merged, yaml.safe_load(path.read_text()) or {}, path.parent)
    for part in ("clusters", "contexts", "users"):
        merged.setdefault(part, [])
    return _chosen(KubeConfig.from_dict(merged, existing[0]), context)


def _chosen(config: KubeConfig, context: str) -> SingleConfig:
    found = config.get(context or None)
    assert found is not None
    return found


def _merge(into: Json, read: Json, folder: Path) -> None:
    """As kubectl merges several files: the first that says something counts; paths are beside their file."""
    for part, inner in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        known = {one["name"] for one in into.setdefault(part, [])}
        for one in read.get(part) or []:
            if one["name"] not in known:
                said = one.get(inner) or {}
                for key in _PATHS:
                    if said.get(key):
                        said[key] = str(folder / said[key])
                into[part].append({**one, inner: said})
    if read.get("current-context"):
        into.setdefault("current-context", read["current-context"])


def _with_exec_v1(config: SingleConfig) -> SingleConfig:
    """lightkube runs plugins of v1beta1 alone; those of v1 are called and answer in the same way."""
    plugin = config.user.exec if config.user else None
    if plugin is not None and plugin.apiVersion == "client.authentication.k8s.io/v1":
        plugin.apiVersion = "client.authentication.k8s.io/v1beta1"
    return config


def _parameters(given: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in given.items() if value is not None}


def _refusal(answer: httpx2.Response) -> KubeError:
    try:
        said = msgspec.json.decode(answer.content)
        message, reason = str(said.get("message", "")), str(said.get("reason", ""))
    except (msgspec.DecodeError, AttributeError):
        message, reason = answer.text[:200], ""
    after = answer.headers.get("retry-after", "")
    return KubeError(
        answer.status_code,
        message.strip() or f"HTTP {answer.status_code}",
        reason=reason,
        retry_after=float(after) if after.isdecimal() else 0.0,
    )
