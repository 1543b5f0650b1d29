"""The definitions, and whether an API server that has them takes what mizzen takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mizzen.errors import Severity
from mizzen.install.crds import crds
from mizzen.resources.decode import decode
from mizzen.resources.yaml import RawObject, parse_documents
from mizzen.run.objects import Key, Objects, key_of
from mizzen.sources.cluster import plural
from mizzen.sources.kube import KubeError

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
            await gone(module_objects, crd)
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
        await gone(module_objects, crd)
    await module_objects.delete(Key(api_version="v1", kind="Namespace", name=NAMESPACE))


async def gone(objects: Objects, crd: dict[str, Any]) -> None:
    """A definition goes in the background."""
    async with asyncio.timeout(20):
        while await objects.get(key_of(crd)) is not None:
            await asyncio.sleep(0.2)


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
        try:
            await defined.kube.send("POST", path, body, dryRun="All", fieldValidation="Strict")
        except KubeError as error:
            if not any(word in str(error) for word in ("uid", "resourceVersion should not be set")):
                refused.append(f"{case}: {raw.kind}/{raw.name}: {error}")
    assert count > 300
    assert not refused, "\n".join(refused)


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
