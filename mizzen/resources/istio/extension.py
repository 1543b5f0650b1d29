"""The kinds of extensions.istio.io: code that proxies shall run for each request or connection."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Int32, Range, Resource, Unknown
from mizzen.resources.istio.security import PolicyTargetReference, WorkloadSelector

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
class WasmPluginSpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    url: str = ""
    sha256: str = ""
    image_pull_policy: Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"] = "UNSPECIFIED_POLICY"
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: Mapping[str, Any] = field(default_factory=dict)
    plugin_name: str = ""
    phase: Literal["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"] = "UNSPECIFIED_PHASE"
    priority: Int32 | None = None
    fail_strategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] = "FAIL_CLOSE"
    vm_config: Mapping[str, Any] = field(default_factory=dict)
    match: Annotated[tuple[TrafficSelector, ...], "none: all traffic"] = ()
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] = "UNSPECIFIED_PLUGIN_TYPE"


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmPlugin(Resource):
    """A plugin for proxies."""

    spec: WasmPluginSpec = field(default_factory=WasmPluginSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficExtensionSpec(Element):
    """What decides where it would run; the code itself is read by nobody."""

    UNKNOWN_FIELDS: ClassVar = Unknown.PASS

    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    phase: str = ""
    match: Annotated[tuple[TrafficSelector, ...], "none: all traffic"] = ()
    wasm: Mapping[str, Any] = field(default_factory=dict)
    lua: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficExtension(Resource):
    """An extension of proxies."""

    spec: TrafficExtensionSpec = field(default_factory=TrafficExtensionSpec)
