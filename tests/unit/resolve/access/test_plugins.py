"""Which plugins run, in which order, and why others do not."""

import hashlib
from dataclasses import replace

import pytest

from mizzen.model.plugin import Phase
from mizzen.resolve.access.module_sources import publish_modules
from mizzen.resolve.access.plugins import plugins
from mizzen.resolve.context import FetchedModule, NamedFile
from tests.harness.small_wasm import answering

MODULE = answering(403)
FILES = {
    "/guard.wasm": NamedFile(content=MODULE),
    "/text": NamedFile(content=b"text"),
    "/gone": NamedFile(why="gone"),
}


def wasm(name, spec, namespace="istio-system"):
    return f"""
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def extension(name, spec):
    return wasm(name, spec).replace("WasmPlugin", "TrafficExtension")


def runs(gateway, *objects, files=FILES):
    ctx = gateway("".join(objects)).ctx
    return plugins(replace(ctx, files=files))


def test_a_module_of_a_file_runs_with_what_it_is_told(gateway):
    spec = (
        "{url: 'file:///guard.wasm', pluginName: root, pluginConfig: {b: [1], a: x}, failStrategy: FAIL_RELOAD, "
        "vmConfig: {env: [{name: B, value: y}, {name: A, valueFrom: HOST}]}, phase: AUTHZ}"
    )
    [plugin] = runs(gateway, wasm("guard", spec)).plugins
    assert (plugin.name, plugin.kind, plugin.code, plugin.phase) == (
        "istio-system.guard",
        "wasm",
        MODULE,
        Phase.AUTHZ,
    )
    assert (plugin.root, plugin.configuration, plugin.failure) == ("root", '{"a": "x", "b": [1]}', "reload")
    assert (plugin.env, plugin.host_env, plugin.ports) == ((("B", "y"),), ("A",), None)


def test_phases_then_priorities_then_age(gateway):
    def one(name, phase, priority=""):
        more = f", priority: {priority}" if priority else ""
        return wasm(name, f"{{url: 'file:///guard.wasm', phase: {phase}{more}}}")

    made = runs(
        gateway,
        one("last", "UNSPECIFIED_PHASE"),
        one("stats", "STATS"),
        one("b", "AUTHN"),
        one("a", "AUTHN"),
        one("high", "AUTHN", "10"),
        one("low", "AUTHN", "-5"),
        one("authz", "AUTHZ"),
    )
    names = [plugin.name.removeprefix("istio-system.") for plugin in made.plugins]
    assert names == ["high", "low", "a", "b", "authz", "stats", "last"]


@pytest.mark.parametrize(
    ("match", "ports"),
    [
        ("[{ports: [{number: 443}]}]", (443, 8443)),
        ("[{mode: CLIENT, ports: [{number: 8080}]}, {ports: [{number: 80}]}]", (80, 8080)),
        ("[{mode: CLIENT}]", None),
        ("[{ports: [{number: 80}]}, {mode: CLIENT_AND_SERVER}]", None),
    ],
)
def test_ports_are_those_of_the_service_and_those_bound(gateway, match, ports):
    [plugin] = runs(gateway, wasm("guard", f"{{url: 'file:///guard.wasm', match: {match}}}")).plugins
    assert plugin.ports == ports


def test_what_is_for_servers_or_for_others_concerns_no_gateway(gateway):
    made = runs(
        gateway,
        wasm("server", "{url: 'file:///guard.wasm', match: [{mode: SERVER}]}"),
        wasm("labels", "{url: 'file:///guard.wasm', selector: {matchLabels: {app: other}}}"),
        wasm("elsewhere", "{url: 'file:///guard.wasm'}", namespace="default"),
        wasm("kubernetes", "{url: 'file:///guard.wasm', targetRefs: [{kind: Gateway, name: other}]}"),
    )
    assert (made.plugins, made.idle) == ((), ())


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("{url: 'oci://registry.test/X:1'}", "lower-case"),
        ("{url: 'ftp://x.test/x.wasm'}", "neither http:// nor https://"),
        ("{url: 'oci://registry.test/x', imagePullSecret: none}", "no Secret 'none'"),
        ("{url: 'file:///gone'}", "/gone cannot be read: gone"),
        ("{url: 'file://relative'}", "cannot be read"),
        ("{url: 'file:///text'}", "it is no WebAssembly module"),
        ("{url: 'file:///guard.wasm', type: NETWORK}", "type NETWORK"),
        ("{url: 'file:///guard.wasm', sha256: '" + "ab" * 32 + "'}", "sha256 is"),
    ],
)
def test_why_a_plugin_does_not_run(gateway, spec, why):
    made = runs(gateway, wasm("guard", spec))
    [idle] = made.idle
    assert why in idle.why
    assert not made.plugins


URL = "https://x.test/x.wasm"
FETCHED = FetchedModule(code=MODULE, digest=hashlib.sha256(MODULE).hexdigest())


def fetching(gateway, fetched, url=URL, strategy="FAIL_CLOSE"):
    found = gateway(wasm("guard", f"{{url: '{url}', failStrategy: {strategy}}}"))
    ctx = replace(found.ctx, modules=fetched)
    publish_modules(ctx)
    return plugins(ctx), found


def test_a_module_that_was_fetched_runs_and_runs_on_when_it_cannot_be_had_any_more(gateway):
    made, found = fetching(gateway, {URL: FETCHED})
    assert [one.code for one in made.plugins] == [MODULE]
    assert not found.problems
    made, found = fetching(gateway, {URL: replace(FETCHED, why="connection refused")})
    assert [one.code for one in made.plugins] == [MODULE]
    assert found.said == [("EXT-017", "WasmPlugin/istio-system/guard", "spec.url")]


@pytest.mark.parametrize(
    ("fetched", "why", "is_unknown"),
    [
        (None, "not known here", True),
        ({}, "is being fetched", True),
        ({URL: FetchedModule(why="connection refused")}, "cannot be had: connection refused", False),
    ],
)
def test_a_module_that_was_not_fetched_does_not_run(gateway, fetched, why, is_unknown):
    made, _ = fetching(gateway, fetched)
    [idle] = made.idle
    assert (why in idle.why, idle.is_unknown) == (True, is_unknown)


def test_a_module_that_was_had_with_a_secret_runs_on_without_it(gateway):
    found = gateway(wasm("guard", "{url: 'oci://a.test/a:1', imagePullSecret: gone}"))
    ctx = replace(found.ctx, modules={"oci://a.test/a:1 istio-system/gone": FETCHED})
    publish_modules(ctx)
    assert plugins(ctx).plugins


def test_an_address_without_a_scheme_is_an_image(gateway):
    made, _ = fetching(gateway, {"oci://registry.test/x:1": FETCHED}, "registry.test/x:1")
    assert made.plugins


def test_a_checksum_may_be_right(gateway):
    digest = hashlib.sha256(MODULE).hexdigest().upper()
    assert runs(gateway, wasm("guard", f"{{url: 'file:///guard.wasm', sha256: '{digest}'}}")).plugins


def test_files_of_another_machine_are_not_run(gateway):
    made = runs(gateway, wasm("guard", "{url: 'file:///guard.wasm'}"), files=None)
    assert "another machine" in made.idle[0].why


def test_extensions_hold_modules_and_scripts(gateway):
    made = runs(
        gateway,
        extension("module", "{phase: STATS, wasm: {url: 'file:///guard.wasm', pluginName: x}}"),
        extension("script", "{lua: {inlineCode: 'function envoy_on_request(h) end'}}"),
        extension("nothing", "{}"),
        extension("empty", "{lua: {}}"),
    )
    assert [(one.name, one.kind) for one in made.plugins] == [
        ("istio-system.module", "wasm"),
        ("istio-system.script", "lua"),
    ]
    assert [(idle.extension.name, idle.why) for idle in made.idle] == [
        ("empty", "its script is empty"),
        ("nothing", "it holds neither wasm nor lua"),
    ]
