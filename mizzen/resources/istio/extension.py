"""The kinds of extensions.istio.io: code that proxies shall run for each request or connection."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Int32, Range, Resource, Unknown
from mizzen.resources.istio.security import PolicyTargetReference, WorkloadSelector

PluginPhase = Literal["UNSPECIFIED_PHASE", "UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]
WorkloadMode = Literal["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSelector(Element):
    number: Annotated[int, Range(1, 65535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSelector(Element):
    """Gateways count as clients."""

    mode: WorkloadMode = "CLIENT_AND_SERVER"
    ports: tuple[PortSelector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVar(Element):
    """A variable of the virtual machine's environment."""

    name: str = ""
    value_from: Annotated[Literal["INLINE", "HOST"], "HOST: of Envoy's own environment"] = "INLINE"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmConfig(Element):
    env: tuple[EnvVar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmSettings(Element):
    """A WebAssembly module, and what it is told."""

    url: Annotated[str, "file:///PATH of this machine; or fetched: http://, https://, oci://"] = ""
    sha256: Annotated[str, "of the module, or of its image's manifest"] = ""
    image_pull_policy: Annotated[
        Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"], "Always: whenever the plugin changes"
    ] = "UNSPECIFIED_POLICY"
    image_pull_secret: Annotated[str, "of type kubernetes.io/dockerconfigjson, in the plugin's namespace"] = (
        ""
    )
    verification_key: str = ""
    plugin_config: Mapping[str, Any] = field(default_factory=dict)
    plugin_name: Annotated[str, "which of the plugins within the module"] = ""
    fail_strategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] = "FAIL_CLOSE"
    vm_config: VmConfig = field(default_factory=VmConfig)
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] = "UNSPECIFIED_PLUGIN_TYPE"


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmPluginSpec(WasmSettings):
    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    phase: PluginPhase = "UNSPECIFIED_PHASE"
    priority: Annotated[Int32 | None, "within a phase, the higher first"] = None
    match: Annotated[tuple[TrafficSelector, ...], "none: all traffic"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmPlugin(Resource):
    """A plugin for proxies."""

    spec: WasmPluginSpec = field(default_factory=WasmPluginSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class LuaSettings(Element):
    """A script that Envoy's Lua filter runs."""

    inline_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficExtensionSpec(Element):
    """Either kind of code, and for which traffic."""

    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("wasm", "lua"),)
    UNKNOWN_FIELDS: ClassVar = Unknown.PASS

    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    phase: PluginPhase = "UNSPECIFIED_PHASE"
    priority: Annotated[Int32 | None, "within a phase, the higher first"] = None
    match: Annotated[tuple[TrafficSelector, ...], "none: all traffic"] = ()
    wasm: WasmSettings | None = None
    lua: LuaSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficExtension(Resource):
    """An extension of proxies."""

    spec: TrafficExtensionSpec = field(default_factory=TrafficExtensionSpec)
