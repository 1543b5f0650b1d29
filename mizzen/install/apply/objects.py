"""The objects of a cluster, for a command that a person runs: what is refused is said as a sentence."""

from collections.abc import Mapping
from typing import Any

from mizzen.kube.client import FIELD_MANAGER, Json, Kube, KubeError
from mizzen.lazy import dataclass

# How the path of a kind is called where it is not its name with an "s"; all else follows from its apiVersion.
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
_PAGE = 500
# Fields that were said once by this manager belong to whoever changes them.
_INITIAL = f"{FIELD_MANAGER}-initial"


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
    """The key of a manifest or of an object."""
    metadata, kind = manifest["metadata"], manifest["kind"]
    return Key(
        api_version=manifest["apiVersion"],
        kind=kind,
        namespace="" if kind in _GLOBAL else metadata.get("namespace", ""),
        name=metadata["name"],
    )


def path(key: Key) -> str:
    """Where an API server keeps an object; with no name, all of a kind."""
    base = f"/apis/{key.api_version}" if "/" in key.api_version else f"/api/{key.api_version}"
    inside = f"/namespaces/{key.namespace}" if key.namespace else ""
    plural = _PLURALS.get(key.kind, f"{key.kind.lower()}s")
    return f"{base}{inside}/{plural}{f'/{key.name}' if key.name else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """One API server, with the rights of one user. Every method raises ClusterError.

    `dry_run`: the server judges what is written, and keeps nothing of it.
    """

    kube: Kube
    dry_run: bool = False

    async def get(self, key: Key) -> Json | None:
        """The object, or None."""
        try:
            return await self.kube.get(path(key))
        except KubeError as error:
            if error.status == 404:
                return None
            raise self._refusal(error, "get", str(key)) from None

    async def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: str = "", fields: str = ""
    ) -> list[Json]:
        """Every object of a kind, read page by page; none where the cluster does not know the kind."""
        where = path(Key(api_version=api_version, kind=kind, namespace=namespace))
        found: list[Json] = []
        following = None
        while True:
            try:
                page = await self.kube.get(
                    where,
                    limit=_PAGE,
                    labelSelector=labels or None,
                    fieldSelector=fields or None,
                    **{"continue": following},
                )
            except KubeError as error:
                if error.status == 404:
                    return []
                what = f"{kind}s{f' in {namespace}' if namespace else ''}"
                raise self._refusal(error, "list", what) from None
            found += ({"apiVersion": api_version, "kind": kind, **one} for one in page.get("items") or ())
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return found

    async def create(self, manifest: Mapping[str, Any]) -> Json:
        """Say something once: its fields then belong to whoever changes them."""
        key = key_of(manifest)
        where = path(Key(api_version=key.api_version, kind=key.kind, namespace=key.namespace))
        try:
            return await self.kube.send("POST", where, manifest, fieldManager=_INITIAL, dryRun=self._dry_run)
        except KubeError as error:
            raise self._refusal(error, "create", str(key)) from None

    async def apply(self, manifest: Mapping[str, Any]) -> Json:
        """Server-side apply under our name, taking over what others have said of the same fields."""
        key = key_of(manifest)
        try:
            return await self.kube.apply(path(key), dict(manifest), dryRun=self._dry_run)
        except KubeError as error:
            raise self._refusal(error, "apply", str(key)) from None

    async def delete(self, key: Key) -> bool:
        """Whether it was there. What it owns goes with it, in the background."""
        body = {"propagationPolicy": "Background", **({"dryRun": ["All"]} if self.dry_run else {})}
        try:
            await self.kube.send("DELETE", path(key), body)
        except KubeError as error:
            if error.status == 404:
                return False
            raise self._refusal(error, "delete", str(key)) from None
        return True

    @property
    def _dry_run(self) -> str | None:
        return "All" if self.dry_run else None

    def _refusal(self, error: KubeError, verb: str, what: str) -> ClusterError:
        if error.status == 0:
            return ClusterError(str(error))
        if error.status == 401:
            who = f"the context {self.kube.context!r} of the kubeconfig"
            return ClusterError(f"{self.kube.server} does not know {who}: {error}", 401)
        if error.status == 403:
            return ClusterError(f"you may not {verb} {what}: {error}", 403)
        message = f"the API server refused to {verb} {what}: {error}"
        if error.status == 422 and "immutable" in str(error):
            message += " (delete it and install again)"
        return ClusterError(message, error.status)
