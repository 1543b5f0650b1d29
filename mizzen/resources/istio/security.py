"""The kinds of security.istio.io: who may speak with a workload, how, and with which tokens."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Duration, Element, Key, Resource

DRY_RUN = "istio.io/dry-run"  # an AuthorizationPolicy with this annotation is only looked at

MutualTlsMode = Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSelector(Element):
    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTls(Element):
    mode: MutualTlsMode = "UNSET"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAuthenticationSpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every workload of the namespace"] = None
    mtls: MutualTls | None = None
    port_level_mtls: Annotated[Mapping[str, MutualTls], "by the number of the workload's port"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAuthentication(Resource):
    spec: PeerAuthenticationSpec = field(default_factory=PeerAuthenticationSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Element):
    """Each list that is not empty must hold; within a list one item is enough."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class From(Element):
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Element):
    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class To(Element):
    operation: Operation = field(default_factory=Operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Element):
    key: str
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Element):
    from_: Annotated[tuple[From, ...], Key("from")] = ()
    to: tuple[To, ...] = ()
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTargetReference(Element):
    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionProvider(Element):
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationPolicySpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every workload of the namespace"] = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    action: Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"] = "ALLOW"
    provider: ExtensionProvider | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationPolicy(Resource):
    spec: AuthorizationPolicySpec = field(default_factory=AuthorizationPolicySpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure(Resource):
    """Refuses everything to the workloads of a guard that cannot be read. Nobody writes it."""

    spec: AuthorizationPolicySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtHeader(Element):
    name: str
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimToHeader(Element):
    header: str
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtRule(Element):
    issuer: Annotated[str, "none: any, with jwksUri"] = ""
    audiences: tuple[str, ...] = ()
    jwks_uri: Annotated[str, Key("jwksUri", also=("jwks_uri",))] = ""
    jwks: str = ""
    from_headers: tuple[JwtHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    output_payload_to_header: str = ""
    forward_original_token: bool = False
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    timeout: Annotated[Duration | None, "of fetching the keys; 5s where nothing is said"] = None
    space_delimited_claims: Annotated[tuple[str, ...], "beside scope and permission"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAuthenticationSpec(Element):
    selector: Annotated[WorkloadSelector | None, "none: every workload of the namespace"] = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    jwt_rules: tuple[JwtRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAuthentication(Resource):
    spec: RequestAuthenticationSpec = field(default_factory=RequestAuthenticationSpec)
