"""The small messages that all others are made of."""

from datetime import timedelta

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.model.route import Exact, Fraction, Prefix, Present, Regex, TextMatch
from mizzen.model.tls import is_beside_proxy

NO_TIMEOUT = timedelta(0)
# Envoy counts nanoseconds in 64 bits, and refuses the whole resource that has a longer or a negative duration.
LONGEST = timedelta(seconds=2**63 // 10**9 - 1)
# The cluster of the bootstrap behind which the proxy's own certificate is kept (Istio's name).
IDENTITY_CLUSTER = "sds-grpc"


def packed(message: Message) -> pb.Any:
    """`message` in an Any; the same bytes for the same content, maps included."""
    out = pb.Any()
    out.Pack(message, deterministic=True)
    return out


def duration(value: timedelta) -> pb.Duration:
    """Raises ValueError for one that Envoy does not take."""
    if not NO_TIMEOUT <= value <= LONGEST:
        raise ValueError(f"Envoy takes durations from 0 to {LONGEST.days // 365} years")
    out = pb.Duration()
    out.FromTimedelta(value)
    return out


def uint32(value: int) -> pb.UInt32Value:
    return pb.UInt32Value(value=value)


def boolean(value: bool) -> pb.BoolValue:
    return pb.BoolValue(value=value)


def extension(name: str, config: Message) -> pb.TypedExtensionConfig:
    return pb.TypedExtensionConfig(name=name, typed_config=packed(config))


def ads(initial_fetch_timeout: timedelta | None = None) -> pb.ConfigSource:
    """What comes over the one stream to the control plane.

    `initial_fetch_timeout`: how long its user waits for it; zero: for ever; None: Envoy's 15 s.
    """
    out = pb.ConfigSource(ads=pb.AggregatedConfigSource(), resource_api_version=pb.ApiVersion.V3)
    if initial_fetch_timeout is not None:
        out.initial_fetch_timeout.FromTimedelta(initial_fetch_timeout)
    return out


def sds(name: str, initial_fetch_timeout: timedelta | None = None) -> pb.SdsSecretConfig:
    """A secret by name. Never without a timeout: one that is missing must not hold up a listener for ever."""
    source = _identity() if is_beside_proxy(name) else ads()
    if initial_fetch_timeout is not None:
        source.initial_fetch_timeout.FromTimedelta(initial_fetch_timeout)
    return pb.SdsSecretConfig(name=name, sds_config=source)


def _identity() -> pb.ConfigSource:
    """What comes from beside the proxy, where its key and the roots of its machine are."""
    service = pb.GrpcService(envoy_grpc=pb.GrpcService.EnvoyGrpc(cluster_name=IDENTITY_CLUSTER))
    api = pb.ApiConfigSource(
        api_type=pb.ApiConfigSource.DELTA_GRPC,
        transport_api_version=pb.ApiVersion.V3,
        grpc_services=[service],
        set_node_on_first_message_only=True,
    )
    return pb.ConfigSource(api_config_source=api, resource_api_version=pb.ApiVersion.V3)


def address(host: str, port: int, protocol: "pb.SocketAddress.Protocol.ValueType") -> pb.Address:
    """`host`: an IP address (or name, where DNS is asked), or the path of a Unix socket when `port` is 0."""
    if port == 0 and host.startswith(("/", "@")):
        return pb.Address(pipe=pb.Pipe(path=host))
    return pb.Address(socket_address=pb.SocketAddress(address=host, port_value=port, protocol=protocol))


def regex(pattern: str) -> pb.RegexMatcher:
    return pb.RegexMatcher(regex=pattern)


def string_matcher(how: TextMatch) -> pb.StringMatcher:
    match how:
        case Exact(value):
            return pb.StringMatcher(exact=value)
        case Prefix(value):
            # Envoy refuses an empty prefix, which every text begins with.
            return pb.StringMatcher(prefix=value) if value else pb.StringMatcher(safe_regex=regex(".*"))
        case Regex(pattern):
            return pb.StringMatcher(safe_regex=regex(pattern))


def string_matcher_or_any(how: TextMatch | Present) -> pb.StringMatcher:
    """Where Envoy has no word for "whatever its value": a pattern that every text fits."""
    return pb.StringMatcher(safe_regex=regex(".*")) if isinstance(how, Present) else string_matcher(how)


_DENOMINATORS = {
    100: pb.FractionalPercent.HUNDRED,
    10_000: pb.FractionalPercent.TEN_THOUSAND,
    1_000_000: pb.FractionalPercent.MILLION,
}


def fractional_percent(share: Fraction) -> pb.FractionalPercent:
    return pb.FractionalPercent(numerator=share.numerator, denominator=_DENOMINATORS[share.of])


def runtime_fraction(share: Fraction) -> pb.RuntimeFractionalPercent:
    return pb.RuntimeFractionalPercent(default_value=fractional_percent(share))


EVERYTHING = Fraction(numerator=100, of=100)
