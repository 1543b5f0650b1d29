"""ProxyConfig (networking.istio.io/v1beta1): settings of proxies that are chosen by namespace and labels."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, LooseText, Range, Resource
from mizzen.resources.istio.security import WorkloadSelector


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyImage(Element):
    image_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfigSpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every proxy of the namespace"] = None
    concurrency: Annotated[Annotated[int, Range(0, 4096)] | None, "worker threads; 0: one for each CPU"] = (
        None
    )
    environment_variables: Annotated[Mapping[str, LooseText], "as proxyMetadata: ISTIO_META_HTTP10 ..."] = (
        field(default_factory=dict)
    )
    image: Annotated[ProxyImage | None, "without effect: there is one image"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig(Resource):
    spec: ProxyConfigSpec = field(default_factory=ProxyConfigSpec)
