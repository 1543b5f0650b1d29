"""The definitions, and whether an API server that has them takes what mizzen takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from mizzen.demo import walkthrough
from mizzen.errors import Severity
from mizzen.install.apply.objects import Key, Objects, key_of
from mizzen.install.crds import crds
from mizzen.kube.client import KubeError
from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.decode import decode
from mizzen.resources.kinds import INERT, KINDS, Kind
from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.sources.cluster import plural
from tests.declared import DEFINED, Part, full, judge, object_of, parts
from tests.kubernetes.definitions import gone

pytestmark = pytest.mark.kubernetes

CASES = Path(__file__).parents[1] / "cases"
GROUPS = ("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io")
NAMESPACE = "crds-of-mizzen"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def defined(module_objects: Objects) -> AsyncIterator[Objects]:
    """With every definition, and a namespace; what was there before is left."""
    made = []
    for crd in crds():
        before = await module_objects.get(key_of(crd))
        if before is not None and before["metadata"].get("deletionTimestamp"):
            await gone(module_objects, crd["metadata"]["name"])
            before = None
        if before is None:
            made.append(crd)
        await module_objects.apply(crd)
    await module_objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for crd in crds():
        await established(module_objects, crd)
    yield module_objects
    for crd in made:
        await module_objects.delete(key_of(crd))
    for crd in made:
        await gone(module_objects, crd["metadata"]["name"])
    await module_objects.delete(Key(api_version="v1", kind="Namespace", name=NAMESPACE))


async def established(objects: Objects, crd: dict[str, Any]) -> None:
    """Until its objects are served."""
    group, names = crd["spec"]["group"], crd["spec"]["names"]
    async with asyncio.timeout(20):
        while True:
            try:
                await objects.kube.get(
                    f"/apis/{group}/{crd['spec']['versions'][0]['name']}/{names['plural']}"
                )
                return
            except KubeError:
                await asyncio.sleep(0.2)


def written() -> Iterator[tuple[str, RawObject]]:
    """Every object of our groups in the golden cases that the decoder takes without an error."""
    for folder in sorted(CASES.glob("*/*/")):
        for file in sorted(folder.glob("*.yaml")):
            if file.name in ("case.yaml", "requests.yaml"):
                continue
            for raw in parse_documents(file.read_bytes(), file.name)[0]:
                wrong = [one for one in decode(raw).problems if one.severity is Severity.ERROR]
                if raw.api_version.partition("/")[0] in GROUPS and not wrong:
                    yield f"{folder.parent.name}/{folder.name}", raw


@pytest.mark.asyncio(loop_scope="module")
async def test_whatever_the_decoder_takes_is_taken(defined: Objects) -> None:
    refused = []
    count = 0
    for case, raw in written():
        path = f"/apis/{raw.api_version}/namespaces/{NAMESPACE}/{plural(raw.kind)}"
        body = {**raw.data, "metadata": {**raw.data["metadata"], "namespace": NAMESPACE}}
        count += 1
        # What Istio has retired is in no schema: kubectl warns of it, or refuses, as with Istio's own.
        is_retired = any(problem.code == "VAL-102" for problem in judge(body).problems)
        try:
            validation = "Warn" if is_retired else "Strict"
            await defined.kube.send("POST", path, body, dryRun="All", fieldValidation=validation)
        except KubeError as error:
            if not any(word in str(error) for word in ("uid", "resourceVersion should not be set")):
                refused.append(f"{case}: {raw.kind}/{raw.name}: {error}")
    assert count > 300
    assert not refused, "\n".join(refused)


async def tried(objects: Objects, written: dict[str, Any]) -> None:
    """A strict dry run, as kubectl asks for it."""
    path = f"/apis/{written['apiVersion']}/namespaces/{NAMESPACE}/{plural(written['kind'])}"
    body = {**written, "metadata": {**written["metadata"], "namespace": NAMESPACE}}
    await objects.kube.send("POST", path, body, dryRun="All", fieldValidation="Strict")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", DEFINED, ids=lambda kind: kind.kind)
async def test_every_field_of_every_version_is_taken(defined: Objects, kind: Kind) -> None:
    fields = declared_fields(cast(type, kind.declaration))
    (spec,) = (declared.type for declared in fields if declared.key == "spec")
    for version in kind.versions:
        await tried(
            defined,
            {**object_of(kind, full(spec)), "apiVersion": f"{kind.group}/{version}", "status": {"a": 1}},
        )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("part", tuple(parts()), ids=lambda part: f"{part.kind.kind}.{part.path}")
async def test_a_field_that_is_null_counts_as_absent(defined: Objects, part: Part) -> None:
    optional = [one for one in declared_fields(part.declaration) if not one.required]
    await tried(defined, part.whole({one.key: None for one in optional}))


HTTP = {"route": [{"destination": {"host": "a"}}]}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("VirtualService", {"hosts": ["a"], "http": [{**HTTP, "timeout": "1h1.5m.5s"}]}),
        ("VirtualService", {"hosts": ["a"], "http": [{**HTTP, "mirror_percent": 5}]}),
        (
            "VirtualService",
            {"hosts": ["a"], "http": [{"directResponse": {"status": 200, "body": {"bytes": "aGFs\nbG8="}}}]},
        ),
        (
            "VirtualService",
            {"hosts": ["a"], "http": [{**HTTP, "match": [{"withoutHeaders": {"a": None, "b": {}}}]}]},
        ),
        (
            "DestinationRule",
            {"host": "a", "trafficPolicy": {"connectionPool": {"tcp": {"idleTimeout": "0"}}}},
        ),
        (
            "DestinationRule",
            {"host": "a", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM", "consistentHash": None}}},
        ),
        (
            "RequestAuthentication",
            {"jwtRules": [{"issuer": "a", "jwks_uri": "https://a/b", "timeout": "0.5s"}]},
        ),
    ],
)
async def test_unusual_values_that_the_decoder_takes_are_taken(
    defined: Objects, kind: str, spec: dict[str, Any]
) -> None:
    written = object_of(KINDS[kind], spec)
    assert not [one for one in judge(written).problems if one.severity is Severity.ERROR]
    await tried(defined, written)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [*INERT, "TrafficExtension"])
async def test_kinds_of_which_little_is_read_take_whatever_is_in_them(defined: Objects, kind: str) -> None:
    (crd,) = (one for one in crds() if one["spec"]["names"]["kind"] == kind)
    group, version = crd["spec"]["group"], crd["spec"]["versions"][0]["name"]
    await tried(
        defined,
        {
            "apiVersion": f"{group}/{version}",
            "kind": kind,
            "metadata": {"name": "a"},
            "spec": {"any": [{"thing": 1}]},
        },
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_the_walkthrough_is_taken(defined: Objects) -> None:
    count = 0
    for file in sorted(Path(walkthrough.__path__[0]).glob("*.yaml")):
        for raw in parse_documents(file.read_bytes(), file.name)[0]:
            if raw.api_version.partition("/")[0] in GROUPS:
                await tried(defined, dict(raw.data))
                count += 1
    assert count >= 2


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (
            {"loadBalancer": {"simple": "RANDOM", "consistentHash": {"useSourceIp": True}}},
            "only one of simple and consistentHash can be given",
        ),
        ({"connectionPool": {"tcp": {"connectTimeout": "1us"}}}, "must be a duration of at least 1ms"),
        (
            {"portLevelSettings": [{"connectionPool": {"tcp": {"connectTimeout": "1us"}}}]},
            "must be a duration of at least 1ms",
        ),
        ({"tls": {"mode": "SIMPEL"}}, "Unsupported value"),
    ],
)
async def test_rules_are_told_in_words(defined: Objects, policy: dict[str, Any], why: str) -> None:
    written = object_of(KINDS["DestinationRule"], {"host": "a", "trafficPolicy": policy})
    with pytest.raises(KubeError, match=why):
        await tried(defined, written)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"hosts": ["a"], "http": [{"route": [{"destination": {}}]}]}, "destination.host: Required value"),
        ({"hosts": ["a"], "http": [{"timeout": "soon"}]}, "spec.http[0].timeout"),
        ({"hosts": ["a"], "http": [{"match": [{"port": -1}]}]}, "greater than or equal to 0"),
        ({"hosts": ["a"], "htpp": []}, 'unknown field "spec.htpp"'),
    ],
)
async def test_what_is_plainly_wrong_is_refused_by_the_schema(
    defined: Objects, spec: dict[str, Any], why: str
) -> None:
    body = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "a", "namespace": NAMESPACE},
        "spec": spec,
    }
    path = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/virtualservices"
    with pytest.raises(KubeError, match=why.replace("[", r"\[")):
        await defined.kube.send("POST", path, body, dryRun="All", fieldValidation="Strict")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_second_apply_changes_nothing(defined: Objects) -> None:
    for crd in crds():
        before = await defined.get(key_of(crd))
        after = await defined.apply(crd)
        assert before is not None
        assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
