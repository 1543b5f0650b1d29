"""Ingress and IngressClass (networking.k8s.io): hosts and paths that lead to Services, and whose they are to serve."""

from dataclasses import field
from typing import Annotated, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource
from mizzen.resources.kubernetes.core import ObjectReference, PortNumber, ServiceStatus

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBackendPort(Element):
    """One of the two."""

    name: str = ""
    number: PortNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressServiceBackend(Element):
    name: str
    port: ServiceBackendPort = field(default_factory=ServiceBackendPort)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressBackend(Element):
    service: IngressServiceBackend | None = None
    resource: Annotated[ObjectReference | None, "not served"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPIngressPath(Element):
    path: Annotated[str, "ImplementationSpecific: a whole path; a beginning where it ends in /* or .*"] = ""
    path_type: Literal["", "Exact", "Prefix", "ImplementationSpecific"] = ""
    backend: IngressBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPIngressRuleValue(Element):
    paths: tuple[HTTPIngressPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressRule(Element):
    host: Annotated[str, "unset: any; *.example.com: all that end so"] = ""
    http: HTTPIngressRuleValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressTLS(Element):
    hosts: Annotated[tuple[str, ...], "unset: all"] = ()
    secret_name: Annotated[str, "a Secret in the namespace of the gateway's Pods"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressSpec(Element):
    ingress_class_name: str | None = None
    default_backend: Annotated[IngressBackend | None, "not served, as in Istio"] = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress(Resource):
    spec: IngressSpec = field(default_factory=IngressSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressClassSpec(Element):
    controller: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressClass(Resource):
    """Not in a namespace."""

    spec: IngressClassSpec = field(default_factory=IngressClassSpec)
