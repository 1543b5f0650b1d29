"""Who a proxy is to the mesh, and how it proves it: SPIFFE names and the mesh's mutual TLS."""

from mizzen.model.tls import MESH_ROOTS, WORKLOAD, ClientAuth, ClientTls, ServerTls, TlsPolicy, Verification
from mizzen.resolve.context import Context

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
        policy=_POLICY,
    )


def mesh_client(names: tuple[str, ...], sni: str, *, http: bool, http2: bool) -> ClientTls:
    """TLS towards workloads of the mesh; one of `names` (SPIFFE) must be in the certificate.

    The ALPN tells the other side what comes: Istio's own filter would choose it for each request.
    """
    if not http:
        alpn: tuple[str, ...] = ALPN_TCP
    elif http2:
        alpn = ("istio-h2", "istio", "h2")
    else:
        alpn = ("istio-http/1.1", "istio", "http/1.1")
    return ClientTls(
        certificate=WORKLOAD,
        verification=Verification(ca=MESH_ROOTS, subject_alt_names=names),
        sni=sni,
        alpn=alpn,
        policy=_POLICY,
    )
