"""What somebody who helps must see, without what nobody but its owner may: the parts of a bug report."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import yaml

from mizzen import __version__
from mizzen.client import remote
from mizzen.kube.client import Json, Kube, KubeError
from mizzen.redaction import hidden, hidden_document
from mizzen.resources.kinds import KINDS
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.sources.cluster import plural

Part = tuple[str, str]  # name of a file, and what is in it

LOG_LINES, MOST_PROXIES = 2_000, 10
_OF_CLUSTER = ("Service", "EndpointSlice", "Namespace", "Node")
_OURS = frozenset({"istio-proxy", "istio-init", "discovery"})
_DROPPED = frozenset({"managedFields"})
ASKED = {"config_dump.json": "/config_dump", "clusters.json": "/clusters?format=json", "stats.txt": "/stats"}


async def of_cluster(kube: Kube, system_namespace: str) -> AsyncIterator[Part]:
    """Every part; one that cannot be had is a part that says why."""
    yield "version.txt", await _version(kube)
    yield "status.json", await _tried(_status(kube, system_namespace))
    kinds = [(k.kind, k.group, k.versions[0]) for k in KINDS.values() if k.group.endswith("istio.io")]
    kinds += [(k.kind, k.group, k.versions[0]) for k in KINDS.values() if k.kind in _OF_CLUSTER]
    for kind, group, version in kinds:
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        if kind != "IstioOperator":
            yield f"objects/{plural(kind)}.yaml", await _tried(_objects(kube, f"{root}/{plural(kind)}"))
    inside = f"/api/v1/namespaces/{system_namespace}"
    for name in ("pods", "secrets", "configmaps", "events"):
        yield f"{system_namespace}/{name}.yaml", await _tried(_objects(kube, f"{inside}/{name}"))
    async for part in _of_pods(kube, system_namespace):
        yield part


async def _of_pods(kube: Kube, namespace: str) -> AsyncIterator[Part]:
    try:
        pods = (await kube.get(f"/api/v1/namespaces/{namespace}/pods"))["items"]
    except KubeError:
        return  # told above
    for number, pod in enumerate(pods):
        name = pod["metadata"]["name"]
        for container in pod["spec"]["containers"]:
            if container["name"] in _OURS:
                path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
                text = await _tried(kube.text(path, container=container["name"], tailLines=LOG_LINES))
                yield f"logs/{name}.{container['name']}.log", text
            if container["name"] == "istio-proxy" and number < MOST_PROXIES:
                for file, target in ASKED.items():
                    yield f"proxies/{name}/{file}", await _tried(remote.admin(kube, namespace, name, target))


async def _version(kube: Kube) -> str:
    found = await _tried(_server_version(kube))
    return f"mizzen {__version__}\ncontext {kube.context}\nserver {kube.server}\nkubernetes {found}\n"


async def _server_version(kube: Kube) -> str:
    return str((await kube.get("/version")).get("gitVersion", ""))


async def _status(kube: Kube, namespace: str) -> str:
    return json.dumps((await remote.status(kube, namespace)).to_json(), indent=1)


async def _objects(kube: Kube, path: str) -> str:
    found = (await kube.get(path)).get("items") or []
    return str(yaml.safe_dump([shown(one, path) for one in found], sort_keys=False, width=1_000))


async def _tried(part: Any) -> str:
    try:
        return hidden_document(str(await part))
    except (KubeError, remote.NotFound) as error:
        return f"could not be had: {error}\n"


# --- what is left out -------------------------------------------------------------------------------


def shown(one: Mapping[str, Any], path: str) -> Json:
    """An object without what is secret: data of Secrets, tokens of people's ConfigMaps, variables of applications."""
    meta = {key: value for key, value in one["metadata"].items() if key not in _DROPPED}
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    found: Json = {**one, "metadata": {**meta, **({"annotations": annotations} if annotations else {})}}
    if not annotations:
        found["metadata"].pop("annotations", None)
    kind = path.rpartition("/")[2]
    if kind == "secrets" or (kind == "configmaps" and not meta["name"].startswith("istio")):
        for field in ("data", "stringData", "binaryData"):
            if field in found:
                sizes = {key: f"[{len(str(value))} characters]" for key, value in found[field].items()}
                found[field] = sizes
    if kind == "pods":
        found["spec"] = _without_variables(found["spec"])
    shown_to_all: Json = hidden(found)
    return shown_to_all


def _without_variables(spec: Mapping[str, Any]) -> Json:
    found = dict(spec)
    for field in ("containers", "initContainers"):
        if field in spec:
            found[field] = [one if one["name"] in _OURS else _hidden(one) for one in spec[field]]
    return found


def _hidden(container: Mapping[str, Any]) -> Json:
    env = [{**one, **({"value": "[hidden]"} if "value" in one else {})} for one in container.get("env") or ()]
    return {**container, **({"env": env} if env else {})}
