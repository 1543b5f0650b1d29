"""WasmPlugins and TrafficExtensions -> Plugins that Envoy runs, and which ones cannot be.

They stand among what judges requests (`AccessPolicies`), in Istio's phases: so one that comes or goes changes no listener.
A module comes from a file of this machine, or was fetched by the control plane; its content is sent.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.model.plugin import Phase, Plugin
from mizzen.resolve.access.module_sources import Extension, fetched_modules, module_source, wasm_of
from mizzen.resolve.access.patches import GATEWAY_NAME
from mizzen.resolve.context import Context, step
from mizzen.resolve.selecting import fits
from mizzen.resources.formats.wasm import wrong_module
from mizzen.resources.istio.extension import (
    LuaSettings,
    TrafficExtension,
    TrafficSelector,
    WasmPlugin,
    WasmSettings,
)
from mizzen.resources.istio.security import PolicyTargetReference

CODES = {
    "EXT-016": "The module of a plugin is fetched where it is served; here, or so far, nothing is known of it.",
    "EXT-017": "The module of a plugin cannot be fetched any more; the one that was there runs on.",
}
_FAILURES: Mapping[str, Any] = {"FAIL_OPEN": "open", "FAIL_RELOAD": "reload"}
_FILE = "file://"
_UNSET = -(2**31) - 1  # below every priority


@dataclass(frozen=True, slots=True)
class Idle:
    """A plugin that does not run."""

    extension: Extension
    why: str
    is_unknown: bool = False  # nobody has said yet what its module is


@dataclass(frozen=True, slots=True)
class _Not:
    """What stands for a module that cannot be had."""

    why: str
    is_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The plugins that run, in their order, and why others do not."""

    plugins: tuple[Plugin, ...] = ()
    running: tuple[Extension, ...] = ()  # the objects of these
    idle: tuple[Idle, ...] = ()


@step
def plugins(ctx: Context) -> Runs:
    found: list[tuple[tuple[int, int], Plugin]] = []
    running: list[Extension] = []
    idle: list[Idle] = []
    for extension in _for_proxy(ctx):
        made = _made(ctx, extension)
        if isinstance(made, _Not):
            idle.append(Idle(extension, made.why, made.is_unknown))
        elif made is not None:
            running.append(extension)
            priority = extension.spec.priority
            found.append(((made.phase, -(_UNSET if priority is None else priority)), made))
    ordered = sorted(found, key=lambda one: one[0])
    return Runs(plugins=tuple(plugin for _, plugin in ordered), running=tuple(running), idle=tuple(idle))


def _for_proxy(ctx: Context) -> Iterable[Extension]:
    """Of the root namespace, then of the proxy's own; within one, by age."""
    everything: tuple[Extension, ...] = (*ctx.world.wasm_plugins, *ctx.world.traffic_extensions)
    for namespace in dict.fromkeys((ctx.mesh.root_namespace, ctx.proxy.namespace)):
        yield from (one for one in everything if one.namespace == namespace and selects(ctx, one))


def selects(ctx: Context, extension: Extension) -> bool:
    """Has the proxy labels that fit, or is it for the Gateway that is meant? (Whatever the namespace.)"""
    refs: tuple[PolicyTargetReference, ...] = extension.spec.target_refs
    if isinstance(extension, WasmPlugin) and extension.spec.target_ref is not None:
        refs = (*refs, extension.spec.target_ref)
    if refs:
        name = ctx.proxy.labels.get(GATEWAY_NAME, "")
        return bool(name) and any(ref.kind == "Gateway" and ref.name == name for ref in refs)
    return fits(extension.spec.selector.match_labels if extension.spec.selector else {}, ctx.proxy.labels)


def _made(ctx: Context, extension: Extension) -> Plugin | _Not | None:
    """What runs, or why nothing does; None where it is for no traffic of this proxy's."""
    ports = _ports(ctx, extension.spec.match)
    if ports == ():
        return None
    wasm = wasm_of(extension)
    if wasm is not None:
        return _wasm(ctx, extension, wasm, ports)
    if isinstance(extension, TrafficExtension) and extension.spec.lua is not None:
        return _lua(extension, extension.spec.lua, ports)
    return _Not("it holds neither wasm nor lua")


def _wasm(
    ctx: Context, extension: Extension, wasm: WasmSettings, ports: tuple[int, ...] | None
) -> Plugin | _Not:
    if wasm.type == "NETWORK":
        return _Not("plugins of connections (type NETWORK) are not run")
    module = _of_file(ctx, wasm) if wasm.url.startswith(_FILE) else _fetched(ctx, extension, wasm)
    if isinstance(module, _Not):
        return module
    code, digest = module
    env = wasm.vm_config.env
    return Plugin(
        name=f"{extension.namespace}.{extension.name}",
        kind="wasm",
        phase=_phase(extension),
        code=code,
        digest=digest,
        root=wasm.plugin_name,
        configuration=json.dumps(wasm.plugin_config, sort_keys=True) if wasm.plugin_config else "",
        env=tuple(sorted((one.name, one.value) for one in env if one.value_from == "INLINE")),
        host_env=tuple(sorted({one.name for one in env if one.value_from == "HOST"})),
        failure=_FAILURES.get(wasm.fail_strategy, "closed"),
        ports=ports,
        origin=extension.ref,
    )


def _of_file(ctx: Context, wasm: WasmSettings) -> tuple[bytes, str] | _Not:
    """The module and its SHA-256, or why it cannot be had."""
    if ctx.files is None:
        return _Not("it would be a file of another machine")
    path = wasm.url.removeprefix(_FILE)
    file = ctx.files.get(path)
    if file is None or not file.content:
        return _Not(f"{path} cannot be read: {file.why if file else 'it is not the absolute path of a file'}")
    if wrong := wrong_module(file.content):
        return _Not(f"{path} cannot be run: {wrong}")
    digest = hashlib.sha256(file.content).hexdigest()
    if wasm.sha256 and wasm.sha256.lower() != digest:
        return _Not(f"the module's sha256 is {digest}, not what is asked for")
    return file.content, digest


def _fetched(ctx: Context, extension: Extension, wasm: WasmSettings) -> tuple[bytes, str] | _Not:
    """Likewise. What was fetched is what its source asks for: a module, with the right SHA-256."""
    source = module_source(ctx.world, extension, wasm, ctx.switches)
    if isinstance(source, str):
        return _Not(source)
    known = fetched_modules(ctx)
    if source.trouble and (known is None or source.key not in known):
        return _Not(source.trouble)
    if known is None:
        why = f"the module at {source.url} is fetched where this is served: it is not known here whether it can be had"
        return _Not(why, is_unknown=True)
    module = known.get(source.key)
    if module is None:
        return _Not(f"the module at {source.url} is being fetched", is_unknown=True)
    if not module.code:
        return _Not(f"{source.url} cannot be had: {module.why}")
    if module.why:
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="EXT-017",
                resource=extension.ref,
                field=f"{wasm.at}.url",
                message=f"{source.url} cannot be had any more: {module.why}: the module that was there runs on",
                hint="The control plane asks again by itself.",
            )
        )
    return module.code, module.digest


def _lua(extension: TrafficExtension, lua: LuaSettings, ports: tuple[int, ...] | None) -> Plugin | _Not:
    if not lua.inline_code:
        return _Not("its script is empty")
    code = lua.inline_code.encode()
    return Plugin(
        name=f"{extension.namespace}.{extension.name}",
        kind="lua",
        phase=_phase(extension),
        code=code,
        digest=hashlib.sha256(code).hexdigest(),
        ports=ports,
        origin=extension.ref,
    )


def _phase(extension: Extension) -> Phase:
    return Phase[extension.spec.phase] if extension.spec.phase in Phase.__members__ else Phase.UNSPECIFIED


def _ports(ctx: Context, match: Iterable[TrafficSelector]) -> tuple[int, ...] | None:
    """The bound ports that are meant; None: all, (): none. Gateways count as clients, and what a sidecar judges are its
    workload's own requests: there it is a server."""
    chosen = tuple(match)
    if not chosen:
        return None
    other = "SERVER" if ctx.proxy.kind == "router" else "CLIENT"
    mine = [each for each in chosen if each.mode != other]
    if any(not each.ports for each in mine):
        return None
    numbers = {port.number for each in mine for port in each.ports}
    bound = {target.target_port for target in ctx.proxy.targets if target.port in numbers}
    return tuple(sorted(numbers | bound))
