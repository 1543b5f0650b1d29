"""What the translation makes, a real Envoy takes: as static resources, by `envoy --mode validate`."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SECRETS,
    EnvoyConfig,
    envoy_config,
)
from mizzen.envoy.types import MESSAGES
from mizzen.model import Model
from mizzen.model.backend import (
    Balancing,
    Discovery,
    Endpoint,
    Limits,
    Outliers,
    Pool,
    Protocol,
)
from mizzen.model.listener import Edge, HeaderCase, Http2Limits, TcpService, Transport
from mizzen.model.route import (
    ClaimMatch,
    Copy,
    Cors,
    Exact,
    Fail,
    Fault,
    Forward,
    Fraction,
    HashOn,
    HeaderChanges,
    HeaderMatch,
    HeaderValue,
    Prefix,
    Present,
    QueryMatch,
    Redirect,
    Regex,
    Respond,
    Retry,
    Rewrite,
    RouteMatch,
    Weighted,
)
from mizzen.model.telemetry import AccessLog, FileLog, GrpcLog, OtlpLog, OverHttp, Tag, Tracer
from mizzen.model.tls import SYSTEM_ROOTS, ClientAuth, ClientTls, ServerTls, TlsPolicy, Verification
from mizzen.persistent import by_name
from mizzen.proxy.binary import envoy_binary
from tests.harness import small_models as small

pytestmark = pytest.mark.e2e

SECOND = timedelta(seconds=1)
HALF = Fraction(numerator=500_000, of=1_000_000)
OTHER = "outbound|80|v2|backend.test"


# --- static resources -------------------------------------------------------------------------------


def as_static(config: EnvoyConfig) -> dict[str, Any]:
    """A bootstrap that holds `config` itself: Envoy then looks at all of it before it would start."""
    whole = {
        url: {name: json_format.MessageToDict(MESSAGES[url].FromString(body)) for name, body in named.items()}
        for url, named in config.bodies.items()
    }
    ads_cluster = {"name": "ads", "type": "STATIC", "connect_timeout": "1s"}
    service = {"envoy_grpc": {"cluster_name": "ads"}}
    return {
        "node": {"id": "validated", "cluster": "validated"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [service],
            }
        },
        "static_resources": {
            "listeners": [put_in_place(one, whole) for one in whole[LISTENERS].values()],
            "clusters": [
                ads_cluster,
                *(put_in_place(one, whole) for one in whole[CLUSTERS].values()),
            ],
            "secrets": list(whole[SECRETS].values()),
        },
    }


def put_in_place(value: Any, whole: dict[str, dict[str, Any]]) -> Any:
    """`value` with every reference over ADS replaced by what it refers to, where that is known."""
    if isinstance(value, list):
        return [put_in_place(item, whole) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: put_in_place(item, whole) for key, item in value.items()}
    if "rds" in out:
        out["routeConfig"] = put_in_place(whole[ROUTES][out.pop("rds")["routeConfigName"]], whole)
    if "configDiscovery" in out:
        del out["configDiscovery"]
        out["typedConfig"] = whole[EXTENSION_CONFIGS][out["name"]]["typedConfig"]
    if "sdsConfig" in out and out["name"] in whole[SECRETS]:
        del out["sdsConfig"]
    if "edsClusterConfig" in out:
        name = out.pop("edsClusterConfig")["serviceName"]
        out |= {"type": "STATIC", "loadAssignment": whole[ENDPOINTS][name]}
    return out


def validate(model: Model, folder: Path) -> str:
    """What Envoy has against the translation of `model`; "" when it takes it."""
    values = {one.name: 'h3=":8443"; ma=86400' for one in model.announcements}
    file = folder / "envoy.json"
    file.write_text(json.dumps(as_static(envoy_config(model, values))))
    command = [str(envoy_binary()), "--mode", "validate", "--disable-hot-restart", "-l", "error"]
    done = subprocess.run(
        [*command, "-c", str(file)], capture_output=True, text=True, timeout=30, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


# --- models -----------------------------------------------------------------------------------------


def everything_a_route_can_say() -> Model:
    both = (
        Weighted(backend=small.BACKEND, weight=9, host_rewrite="v1.test", headers=changes("x-v1")),
        Weighted(backend=OTHER, weight=1),
    )
    retry = Retry(
        attempts=2,
        on="5xx,retriable-status-codes",
        statuses=(404,),
        per_try_timeout=SECOND,
        other_localities=True,
        backoff=SECOND,
    )
    cookie = HashOn(cookie="c", cookie_path="/", cookie_ttl=SECOND, cookie_attributes=(("SameSite", "Lax"),))
    forward = Forward(
        to=both,
        timeout=SECOND,
        retry=retry,
        copies=(Copy(backend=OTHER, share=HALF),),
        hash_on=(HashOn(header="x-user"), HashOn(query="q"), HashOn(source_ip=True), cookie),
        rewrite=Rewrite(prefix="/v1", host="other.test", forward_original_host=True),
    )
    alone = (Weighted(backend=small.BACKEND, host_rewrite="b.test", headers=changes("x-b")),)
    by_regex = Rewrite(regex="^/(.*)$", substitution=r"/x/\1")
    cors = Cors(
        origins=(Exact("https://a.test"), Prefix("https://b."), Regex(".*")),
        methods=("GET", "POST"),
        allow_headers=("x-a",),
        expose_headers=("x-b",),
        max_age=timedelta(days=1),
        credentials=True,
    )
    fault = Fault(delay=SECOND, delay_share=HALF, abort_status=503, abort_share=Fraction(numerator=1, of=100))
    return in_one_table(
        small.route(forward, name="all", match=everything_a_match_can_say(), cors=cors, fault=fault),
        small.route(Forward(to=alone, timeout=None, rewrite=by_regex), match=RouteMatch(path=Exact("/x"))),
        small.route(Redirect(status=302, host="b.test", path="", scheme="https", port=444)),
        small.route(Redirect(status=308, prefix="/new"), match=RouteMatch(path=Prefix("/old"))),
        small.route(Respond(status=418, body=b"teapot")),
        small.route(Respond(status=200, body=b"\xff\x00", body_is_text=False)),
        small.route(Respond(status=204), headers=changes("x-c"), stat_prefix="s", operation="op"),
        small.route(Fail(status=500, because="nothing can be done"), fault=Fault(abort_grpc=14)),
    )


def everything_a_match_can_say() -> RouteMatch:
    return RouteMatch(
        path=Regex("/a/[0-9]+"),
        case_sensitive=False,
        headers=(
            HeaderMatch(name="x-a", how=Exact("1")),
            HeaderMatch(name="x-b", how=Prefix("")),
            HeaderMatch(name="x-c", how=Regex(".+"), invert=True),
            HeaderMatch(name=":method", how=Present(), invert=True),
        ),
        query=(QueryMatch(name="q", how=Prefix("a")), QueryMatch(name="r", how=Present())),
        claims=(ClaimMatch(path=("groups",), how=Exact("g"), invert=True),),
    )


def changes(name: str) -> HeaderChanges:
    return HeaderChanges(
        request=(HeaderValue(name=name, value="%REQ(x-a)%", overwrite=True),),
        request_remove=("x-gone",),
        response=(HeaderValue(name=name, value="v", overwrite=False),),
        response_remove=("server",),
    )


def in_one_table(*routes: Any) -> Model:
    return replace(
        small.mirrored(),
        route_tables=(small.table(*routes),),
        backends=by_name((small.backend(), small.backend(OTHER))),
    )


def every_kind_of_backend() -> Model:
    names = (small.group(Endpoint(address="localhost", port=80)),)
    mutual = ClientTls(
        certificate=small.credential(),
        verification=Verification(ca=f"{small.credential()}-cacert", subject_alt_names=("b.test",)),
        sni="b.test",
        check_san_of_sni=True,
        alpn=("h2",),
    )
    system = ClientTls(certificate=None, verification=Verification(ca=SYSTEM_ROOTS))
    by_authority = replace(mutual, sni="", check_san_of_sni=True)
    backends = (
        small.backend("dns", discovery=Discovery.DNS, groups=names, dns_families="all"),
        small.backend("dns-one", discovery=Discovery.DNS_ONE, groups=names, dns_families="v6"),
        small.backend("dns-wildcard", discovery=Discovery.DNS_WILDCARD, groups=(), tls=system),
        small.backend(
            "connection", discovery=Discovery.CONNECTION, groups=(), balancing=Balancing(policy="given")
        ),
        small.backend("none", discovery=Discovery.NONE, groups=(), service=None),
        small.backend("mutual", tls=mutual, protocol=Protocol.HTTP2, proxy_protocol="V2"),
        small.backend("system", tls=system),
        small.backend("by-authority", tls=by_authority, protocol=Protocol.AS_CLIENT),
        small.backend("negotiated", tls=mutual, protocol=Protocol.NEGOTIATED),
        small.backend("unverified", tls=ClientTls(certificate=None, verification=None)),
        small.backend(
            "unusable", tls=ClientTls(certificate=None, verification=None, unusable="there is no key")
        ),
        small.backend("behind-proxy", proxy_protocol="V1"),
        small.backend("socket", groups=(small.group(Endpoint(address="/run/x.sock", port=0)),)),
        *every_way_of_treating_a_backend(),
    )
    return replace(
        small.mirrored(),
        backends=by_name(backends),
        trusted_cas=(small.trusted_ca(),),
    )


def every_way_of_treating_a_backend() -> Iterator[Any]:
    for policy in ("round_robin", "least_request", "random", "ring_hash", "maglev"):
        balancing = Balancing(
            policy=policy,
            ring_size=1024,
            table_size=65537,
            warmup=SECOND,
            warmup_min_percent=10.0,
            warmup_aggression=1.5,
            weigh_localities=True,
        )
        yield small.backend(f"balanced-{policy}", balancing=balancing)
    limits = Limits(
        connections=1,
        pending_requests=2,
        requests=3,
        retries=4,
        retry_budget_percent=20.0,
        retry_budget_interval=SECOND,
    )
    pool = Pool(
        idle_timeout=timedelta(0),
        max_connection_duration=SECOND,
        max_requests_per_connection=1,
        max_concurrent_streams=10,
        http2_ping_interval=SECOND,
        http2_ping_timeout=SECOND,
        keepalive=True,
        keepalive_probes=3,
        keepalive_time=SECOND,
        keepalive_interval=SECOND,
    )
    outliers = Outliers(
        consecutive_5xx=0,
        consecutive_gateway_errors=5,
        split_local_errors=True,
        consecutive_local_failures=3,
        interval=SECOND,
        base_ejection=SECOND,
        max_ejection_percent=100,
        error_statuses=(500, 503),
    )
    yield small.backend("treated", limits=limits, pool=pool, outliers=outliers, protocol=Protocol.HTTP2)
    yield small.backend("one-bad-status", outliers=Outliers(error_statuses=(500,)))


def every_access_log() -> Iterator[AccessLog]:
    line = "%REQ_WITHOUT_QUERY(:PATH)% %CEL(request.headers['x-a'].contains('b'))%"
    nested = '{"path": "%REQ_WITHOUT_QUERY(:PATH)%", "more": {"code": ["%RESPONSE_CODE%", 1, true, null]}}'
    yield AccessLog(to=FileLog(path="/dev/null"))
    yield AccessLog(
        to=FileLog(path="/dev/null", text_format=line, omit_empty=True), only="response.code >= 400"
    )
    yield AccessLog(to=FileLog(path="/dev/null", json_format=nested))
    for kind in ("http", "tcp"):
        headers = {"request_headers": ("x-a",), "response_headers": ("x-b",), "response_trailers": ("x-c",)}
        log = GrpcLog(
            kind=kind, backend=small.BACKEND, authority="als.test", name=kind, states=("a",), **headers
        )
        yield AccessLog(to=log, only="connection.mtls")
    yield AccessLog(
        to=OtlpLog(
            backend=small.BACKEND,
            authority="otlp.test",
            name="otlp",
            text_format=line,
            attributes=(("path", "%REQ_WITHOUT_QUERY(:PATH)%"),),
        )
    )


def every_tracer() -> Iterator[Tracer]:
    tags = (
        Tag(name="a", kind="literal", value="x"),
        Tag(name="b", kind="environment", value="HOME", default="x"),
        Tag(name="c", kind="header", value=":path", default="x"),
        Tag(name="d", kind="format", value="%REQ(x-a)%"),
    )
    first = Tracer(kind="zipkin", backend=small.BACKEND, service="gw", authority="collector.test")
    yield replace(first, path="/spans", short_ids=True, takes_w3c=True, path_length=10, tags=tags)
    yield replace(first, by_request_id=False, passes_on=False)
    way = OverHttp(path="/v1/traces", timeout=SECOND, headers=(("x-a", "b"),))
    yield replace(first, kind="opentelemetry", over_http=way, detectors=("environment", "dynatrace"))
    yield replace(first, kind="opentelemetry", timeout=SECOND, metadata=(("x-a", "b"),))
    yield replace(first, kind="datadog")
    yield replace(first, kind="skywalking", token="secret")


def every_kind_of_connection() -> Model:
    passed = TcpService(
        to=(Weighted(backend=small.BACKEND),),
        stat_prefix="tcp",
        idle_timeout=SECOND,
        max_connection_duration=SECOND,
        hash_on=HashOn(source_ip=True),
    )
    shared = replace(
        passed,
        to=(Weighted(backend=small.BACKEND, weight=3), Weighted(backend=OTHER)),
        tunnel_host="tunnel.test:80",
        tunnel_by_post=True,
    )
    edge = every_word_about_the_edge()
    logs = tuple(every_access_log())
    terminated = small.chain("terminated.test", tls=strict_tls(), serve=passed)
    chains = (
        small.chain(tls=strict_tls(), grpc_web=True),
        terminated,
        replace(small.chain("through.test", serve=shared), tls=None),
        replace(small.chain("plain", serve=passed), tls=None, server_names=()),
    )
    listener = replace(
        small.tcp_listener(*chains, edge=edge), proxy_protocol=True, access_logs=logs, log_unmatched=True
    )
    unix = replace(
        small.tcp_listener(), name="unix", transport=Transport.UNIX, address="/tmp/mizzen-test.sock", port=0
    )
    traced = tuple(
        replace(
            small.tcp_listener(edge=replace(edge, tracer=tracer, trace_percent=0.1)),
            name=f"traced-{port}",
            port=port,
        )
        for port, tracer in enumerate(every_tracer(), 20_000)
    )
    quic = replace(small.quic_listener(edge=edge), access_logs=logs)
    return replace(
        small.mirrored(),
        listeners=(listener, quic, unix, *traced),
        backends=by_name((small.backend(), small.backend(OTHER))),
        trusted_cas=(small.trusted_ca(),),
    )


def strict_tls() -> ServerTls:
    verification = Verification(
        ca=f"{small.credential()}-cacert",
        subject_alt_names=("client.test", "spiffe://cluster.local/ns/a/sa/b"),
        spki_pins=("NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A=",),
        certificate_hashes=("00" * 32,),
        accept_untrusted=True,
    )
    policy = TlsPolicy(
        min_version="1.2",
        max_version="1.3",
        ciphers=("ECDHE-ECDSA-AES128-GCM-SHA256",),
        curves=("X25519", "P-256"),
    )
    return replace(small.server_tls(auth=ClientAuth.REQUIRED), verification=verification, policy=policy)


def every_word_about_the_edge() -> Edge:
    return Edge(
        trusted_hops=2,
        client_cert_header="append_forward",
        server_header=None,
        request_id=False,
        suppress_envoy_headers=True,
        forwarded_port=True,
        accept_http_10=True,
        header_case=HeaderCase.PRESERVE,
        normalize_path=True,
        merge_slashes=True,
        escaped_slashes="unescape_and_redirect",
        underscores="reject_request",
        idle_timeout=SECOND,
        max_connection_duration=SECOND,
        max_stream_duration=SECOND,
        stream_idle_timeout=SECOND,
        request_timeout=SECOND,
        request_headers_timeout=SECOND,
        drain_timeout=SECOND,
        http2=Http2Limits(max_concurrent_streams=100, stream_window=65536, connection_window=1048576),
        buffer_limit=32768,
    )


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(small.model(), id="nothing"),
        pytest.param(small.mirrored(), id="a mirrored server"),
        pytest.param(small.mirrored(auth=ClientAuth.REQUIRED), id="a mirrored server that asks who comes"),
        pytest.param(small.mirrored("a.test", "*.b.test", auth=ClientAuth.OPTIONAL), id="two of them"),
        pytest.param(everything_a_route_can_say(), id="everything a route can say"),
        pytest.param(every_kind_of_backend(), id="every kind of backend"),
        pytest.param(every_kind_of_connection(), id="every kind of connection"),
    ],
)
def test_envoy_takes(model: Model, tmp_path: Path) -> None:
    assert validate(model, tmp_path) == ""


def test_envoys_refusal_would_be_noticed(tmp_path: Path) -> None:
    bad = small.route(match=RouteMatch(path=Regex("(")))

    assert "missing )" in validate(in_one_table(bad), tmp_path)
