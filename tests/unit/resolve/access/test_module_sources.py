"""Where modules are fetched, as who, and when again."""

import base64
import json

import pytest

from mizzen.model.plugin import ModuleSource
from mizzen.resolve.access.module_sources import module_sources
from mizzen.resolve.context import Switches

AUTH = base64.b64encode(b"me:secret").decode()


def plugin(spec: str, name: str = "a", namespace: str = "shop") -> str:
    return (
        "\n---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )


def secret(content: object, namespace: str = "shop", key: str = ".dockerconfigjson") -> str:
    text = base64.b64encode(json.dumps(content).encode()).decode()
    return (
        f"\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: {namespace}}}\n"
        f"data: {{{key}: {text}}}\n"
    )


def sources(world, *texts: str) -> tuple[ModuleSource, ...]:
    return module_sources(world("".join(texts)), Switches(module_networks_blocked=("10.0.0.0/8",)))


def test_one_of_each_scheme_and_none_that_is_no_address(world) -> None:
    found = sources(
        world,
        plugin("{url: 'https://a.test/a'}", "a"),
        plugin("{url: a.test/b}", "b"),
        plugin("{url: 'file:///c.wasm'}", "c"),
        plugin("{url: 'oci://a.test/D'}", "d"),
        plugin("{url: 'oci://a.test/e', type: NETWORK}", "e"),
        plugin("{lua: {inlineCode: x}}", "f").replace("WasmPlugin", "TrafficExtension"),
        plugin("{wasm: {url: 'oci://a.test/g'}}", "g").replace("WasmPlugin", "TrafficExtension"),
    )
    assert [one.url for one in found] == ["https://a.test/a", "oci://a.test/b", "oci://a.test/g"]
    assert {one.blocked for one in found} == {("10.0.0.0/8",)}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{url: 'oci://a.test/a'}", True),
        ("{url: 'oci://a.test/a:latest'}", True),
        ("{url: 'oci://a.test/a:1'}", False),
        ("{url: 'oci://a.test/a:1', imagePullPolicy: Always}", True),
        ("{url: 'oci://a.test/a', imagePullPolicy: IfNotPresent}", False),
        ("{url: 'oci://a.test/a@sha256:" + "ab" * 32 + "', imagePullPolicy: Always}", False),
        ("{url: 'oci://a.test/a', imagePullPolicy: Always, sha256: '" + "ab" * 32 + "'}", False),
        ("{url: 'https://a.test/a', imagePullPolicy: IfNotPresent}", True),
        ("{url: 'https://a.test/a', sha256: '" + "AB" * 32 + "'}", False),
    ],
)
def test_when_it_is_asked_anew(world, spec: str, expected: bool) -> None:
    [source] = sources(world, plugin(spec))
    assert source.is_asked_anew == expected
    other = sources(world, plugin(spec.replace("{url", "{pluginName: x, url")))
    assert (other == (source,)) == (not expected)


def test_plugins_share_what_they_have_in_common(world) -> None:
    one, other = plugin("{url: 'oci://a.test/a'}", "one"), plugin("{url: 'oci://a.test/a'}", "other")
    [source] = sources(world, one, other)
    assert len(source.newest_for) == 2
    assert (source,) == sources(world, other, one)


def test_those_of_the_root_namespace_come_first(world) -> None:
    own = plugin("{url: 'oci://a.test/own:1'}", namespace="istio-system")
    tenant = plugin("{url: 'oci://a.test/a:1'}", namespace="a")
    found = module_sources(world(tenant + own), Switches(), "istio-system")
    assert [one.url for one in found] == ["oci://a.test/own:1", "oci://a.test/a:1"]


def test_who_has_other_credentials_has_another_source(world) -> None:
    auths = {"auths": {"a.test": {"auth": AUTH}}}
    found = sources(
        world,
        plugin("{url: 'oci://a.test/a:1'}", "none"),
        plugin("{url: 'oci://a.test/a:1', imagePullSecret: pull}", "own"),
        plugin("{url: 'oci://b.test/a:1', imagePullSecret: pull}", "of-another-registry"),
        secret(auths),
    )
    by_key = {one.key: one.authorization for one in found}
    assert by_key == {
        "oci://a.test/a:1": "",
        "oci://a.test/a:1 shop/pull": f"Basic {AUTH}",
        "oci://b.test/a:1 shop/pull": "",
    }
    assert AUTH not in repr(found)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "no Secret 'pull'"),
        (secret({}, namespace="other"), "no Secret 'pull'"),
        (secret({}, key="config"), "holds no .dockerconfigjson"),
        (secret({}), "is of no use"),
    ],
)
def test_without_its_secret_nothing_is_asked(world, given: str, why: str) -> None:
    found = world(plugin("{url: 'oci://a.test/a:1', imagePullSecret: pull}") + given)
    [source] = module_sources(found, Switches())
    assert (source.key, source.authorization) == ("oci://a.test/a:1 shop/pull", "")
    assert why in source.trouble
