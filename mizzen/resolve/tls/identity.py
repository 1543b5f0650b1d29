"""Who a proxy is to the mesh, and how it proves it: SPIFFE names and the mesh's mutual TLS."""

from dataclasses import replace
from typing import assert_never

from mizzen.model.backend import Protocol
from mizzen.model.tls import MESH_ROOTS, WORKLOAD, ClientAuth, ClientTls, ServerTls, TlsPolicy, Verification
from mizzen.resolve.context import Context
from mizzen.resolve.tls.ciphers import known_ciphers

# What tells the mesh's TLS from an application's own, before anything is decrypted: Istio's ALPN words.
ALPN_HTTP = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
ALPN_TCP = ("istio-peer-exchange", "istio")

_POLICY = TlsPolicy(min_version="1.2", max_version="1.3")


def spiffe(trust_domain: str, namespace: str, service_account: str) -> str:
    """The name in a workload's certificate (SPIFFE, X.509-SVID)."""
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{service_account}"


def mesh_server(ctx: Context, alpn: tuple[str, ...]) -> ServerTls:
    """TLS of a server that only workloads of the mesh may connect to."""
    domains = (ctx.mesh.trust_domain, *ctx.mesh.trust_domain_aliases)
    return ServerTls(
        certificates=(WORKLOAD,),
        client_auth=ClientAuth.REQUIRED,
        verification=Verification(
            ca=MESH_ROOTS, subject_alt_name_prefixes=tuple(f"spiffe://{one}/" for one in domains)
        ),
        alpn=alpn,
        policy=_server_policy(ctx),
    )


def _server_policy(ctx: Context) -> TlsPolicy:
    """meshMTLS: the oldest version and the suites. Its curves are for nobody, as in Istio: clients have their own, and
    might have none in common."""
    mesh = ctx.mesh.mesh_mtls
    if mesh is None:
        return _POLICY
    return replace(
        _POLICY,
        min_version="1.3" if mesh.min_protocol_version == "TLSV1_3" else _POLICY.min_version,
        ciphers=known_ciphers(mesh.cipher_suites),
    )


def mesh_client(names: tuple[str, ...], sni: str, protocol: Protocol | None) -> ClientTls:
    """TLS towards workloads of the mesh; one of `names` (SPIFFE) must be in the certificate.

    `protocol`: of the requests that come; None: bytes. The ALPN tells the other side: Istio's own filter would choose it
    for each request.
    """
    return ClientTls(
        certificate=WORKLOAD,
        verification=Verification(ca=MESH_ROOTS, subject_alt_names=names),
        sni=sni,
        alpn=_client_alpn(protocol),
        policy=_POLICY,
    )


def _client_alpn(protocol: Protocol | None) -> tuple[str, ...]:
    match protocol:
        case None:
            return ALPN_TCP
        case Protocol.HTTP2:
            return ("istio-h2", "istio", "h2")
        case Protocol.NEGOTIATED:
            return ("istio-h2", "istio-http/1.1", "istio", "h2", "http/1.1")
        case Protocol.UNKNOWN | Protocol.HTTP1 | Protocol.AS_CLIENT:
            return ("istio-http/1.1", "istio", "http/1.1")
        case other:
            assert_never(other)
