"""A Kubernetes API server as whoever runs a command sees it: objects are plain mappings, refusals are sentences.

The kubeconfig and its ways of proving who one is are lightkube's.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec
import yaml
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import DEFAULT_KUBECONFIG, KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

Object = dict[str, Any]

MANAGER = "mizzen"
_APPLY = "application/apply-patch+yaml"
_PAGE = 500
_TIMEOUT = 30.0  # seconds; an API server that has to ask a webhook may take ten

# How the path of a kind is called; everything else follows from its apiVersion.
_PLURALS = {"NetworkPolicy": "networkpolicies"}
_GLOBAL = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "Namespace",
        "ValidatingWebhookConfiguration",
    }
)


class ClusterError(Exception):
    """The cluster could not be asked, or refused; the message is for people. `status`: of HTTP, or 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which object: kind and name, and its apiVersion for its path."""

    api_version: str
    kind: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def key_of(manifest: Mapping[str, Any]) -> Key:
    """The key of a manifest."""
    metadata = manifest["metadata"]
    namespace = "" if manifest["kind"] in _GLOBAL else metadata.get("namespace", "")
    return Key(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=namespace,
        name=metadata["name"],
    )


def connect(kubeconfig: str = "", context: str = "") -> "Cluster":
    """The cluster of a kubeconfig. `kubeconfig`: else $KUBECONFIG, the Pod's own account, or ~/.kube/config.

    Raises:
        ClusterError: when there is no kubeconfig, or it cannot be used.
    """
    try:
        found = _config(kubeconfig).get(context or None)
        if found is None:
            raise ConfigError("no context is chosen")
        return Cluster(
            http=Client(_usable(found), ConnectionParams(timeout=httpx.Timeout(_TIMEOUT))), config=found
        )
    except (
        ConfigError,
        KeyError,
        TypeError,
        ValueError,
        OSError,
        yaml.YAMLError,
        msgspec.MsgspecError,
    ) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ClusterError(f"the kubeconfig cannot be used: {why}") from None


def _config(kubeconfig: str) -> KubeConfig:
    named = kubeconfig or os.environ.get("KUBECONFIG", "")
    if named:
        return KubeConfig.from_file(named.split(os.pathsep)[0])
    if not Path(DEFAULT_KUBECONFIG).expanduser().is_file():
        try:
            return KubeConfig.from_service_account()
        except (ConfigError, KeyError):
            raise ConfigError(
                f"there is none: name one with --kubeconfig or $KUBECONFIG ({DEFAULT_KUBECONFIG})"
            ) from None
    return KubeConfig.from_file(DEFAULT_KUBECONFIG)


def _usable(config: SingleConfig) -> SingleConfig:
    """Credential plugins answer in v1 as in v1beta1 where a token is concerned; lightkube knows the older name."""
    user = config.user
    if user is None or user.exec is None or not user.exec.apiVersion.endswith("/v1"):
        return config
    older = msgspec.structs.replace(user.exec, apiVersion="client.authentication.k8s.io/v1beta1")
    return config._replace(user=msgspec.structs.replace(user, exec=older))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One API server, with the rights of one user. Every method raises ClusterError."""

    http: httpx.Client
    config: SingleConfig

    @property
    def server(self) -> str:
        return str(self.config.cluster.server)

    def close(self) -> None:
        self.http.close()

    def version(self) -> str:
        """The release of the API server; asks it."""
        return str(self._ask("GET", "version", "read the version of", "the API server").get("gitVersion", ""))

    def get(self, key: Key) -> Object | None:
        """The object, or None."""
        try:
            return self._ask("GET", path(key), "get", str(key))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def list(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> Iterator[Object]:
        """Every object of a kind, page by page; none where the cluster does not know the kind."""
        where = path(Key(api_version=api_version, kind=kind, namespace=namespace))
        params = {"limit": str(_PAGE), **({"labelSelector": labels} if labels else {})}
        what = f"{kind}s in {namespace or 'all namespaces'}" if kind not in _GLOBAL else f"{kind}s"
        while True:
            try:
                page = self._ask("GET", where, "list", what, params=params)
            except ClusterError as error:
                if error.status == 404:
                    return
                raise
            for item in page.get("items") or ():
                yield {"apiVersion": api_version, "kind": kind, **item}
            following = page["metadata"].get("continue")
            if not following:
                return
            params["continue"] = following

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """As another manager than `apply`: what is said here once stays, and belongs to whoever changes it."""
        key = key_of(manifest)
        where = path(dataclasses.replace(key, name=""))
        params = {"fieldManager": f"{MANAGER}-initial", **_dry(dry_run)}
        return self._ask("POST", where, "create", str(key), params=params, body=manifest)

    def apply(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Server-side apply under our name, taking over what others have said of the same fields."""
        key = key_of(manifest)
        params = {"fieldManager": MANAGER, "force": "true", **_dry(dry_run)}
        return self._ask("PATCH", path(key), "apply", str(key), params=params, body=manifest, kind=_APPLY)

    def delete(self, key: Key, *, dry_run: bool = False) -> bool:
        """Whether it was there. What it owns goes with it, in the background."""
        body = {"propagationPolicy": "Background", **({"dryRun": ["All"]} if dry_run else {})}
        try:
            self._ask("DELETE", path(key), "delete", str(key), body=body)
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _ask(
        self,
        method: str,
        where: str,
        verb: str,
        what: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        kind: str = "application/json",
    ) -> Object:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": kind}
        try:
            answer = self.http.request(method, where, params=params, content=content, headers=headers)
        except (httpx.HTTPError, ConfigError, OSError) as error:
            raise ClusterError(
                f"no answer from {self.server}: {str(error) or type(error).__name__}"
            ) from None
        if answer.is_success:
            found: Object = msgspec.json.decode(answer.content)
            return found
        raise self._refusal(answer, verb, what)

    def _refusal(self, answer: httpx.Response, verb: str, what: str) -> ClusterError:
        try:
            message = str(msgspec.json.decode(answer.content)["message"])
        except (msgspec.MsgspecError, KeyError, TypeError):
            message = answer.text.strip()[:300] or f"status {answer.status_code}"
        code = answer.status_code
        if code == 401:
            message = f"{self.server} does not know who you are (context {self.config.context_name!r})"
        elif code == 403:
            message = f"you may not {verb} {what}: {message}"
        elif code != 404:
            message = f"the API server refused to {verb} {what}: {message}"
        return ClusterError(message, code)


def path(key: Key) -> str:
    """Where an API server keeps an object, or with no name, all of a kind."""
    base = f"apis/{key.api_version}" if "/" in key.api_version else f"api/{key.api_version}"
    inside = f"/namespaces/{key.namespace}" if key.namespace and key.kind != "Namespace" else ""
    plural = _PLURALS.get(key.kind, f"{key.kind.lower()}s")
    return f"{base}{inside}/{plural}{f'/{key.name}' if key.name else ''}"


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
