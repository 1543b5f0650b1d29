"""Gateway (networking.istio.io): the ports a gateway opens, and the hosts and TLS on each."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource, UInt32
from mizzen.resources.istio import retired

TlsMode = Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"]
TlsVersion = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Port(Element):
    number: UInt32
    protocol: str
    name: str
    target_port: UInt32 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsCertificate(Element):
    """A key pair in files."""

    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTlsSettings(Element):
    RETIRED: ClassVar = retired.SERVER_TLS

    https_redirect: Annotated[bool, "answer plain requests with a redirect to https"] = False
    mode: TlsMode = "PASSTHROUGH"
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: Annotated[str, "a Secret in the namespace of the gateway's pods"] = ""
    credential_names: tuple[str, ...] = ()
    ca_cert_credential_name: str = ""
    tls_certificates: tuple[TlsCertificate, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    min_protocol_version: TlsVersion = "TLS_AUTO"
    max_protocol_version: TlsVersion = "TLS_AUTO"
    cipher_suites: tuple[str, ...] = ()
    ecdh_curves: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Element):
    port: Port
    bind: str = ""
    hosts: tuple[str, ...]
    tls: ServerTlsSettings | None = None
    default_endpoint: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySpec(Element):
    servers: tuple[Server, ...] = ()
    selector: Annotated[Mapping[str, str], "labels of the gateways it is for; empty: all"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway(Resource):
    spec: GatewaySpec = field(default_factory=GatewaySpec)
