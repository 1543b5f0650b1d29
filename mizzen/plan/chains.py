"""A filter chain of a listener: whom it takes, and what it leans on."""

from collections.abc import Iterator

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.filter_chain import HCM, NOBODYS_CERTIFICATE, TCP_PROXY
from mizzen.envoy.transport import QUIC
from mizzen.lazy import dataclass
from mizzen.model.backend import BLACK_HOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One of them. Envoy keeps the connections of a chain as long as it is, to the letter, the same."""

    body: bytes
    name: str
    names: tuple[str, ...]  # SNI; (): any
    refuses: bool  # it takes connections only to end them
    table: str = ""  # the route table of its requests
    certificates: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()  # these, roots, and keys of session tickets
    extensions: frozenset[str] = frozenset()  # filters whose configuration is a resource of its own
    backends: frozenset[str] = frozenset()  # where bytes are passed on to
    but_names: bytes = b""  # all of it but whom it takes


def chain_of(message: pb.FilterChain, body: bytes) -> Chain:
    """What a chain is about. `body`: the chain, serialised."""
    tls = _tls(message)
    secrets = frozenset(_names_of_secrets(tls)) if tls is not None else frozenset()
    certificates = tls.common_tls_context.tls_certificate_sds_secret_configs if tls is not None else ()
    backends = frozenset(_backends(message))
    manager = _manager(message)
    match = message.filter_chain_match
    return Chain(
        body=body,
        name=message.name,
        names=tuple(dict.fromkeys(match.server_names)),
        refuses=NOBODYS_CERTIFICATE in secrets or backends == {BLACK_HOLE},
        table=_table(manager) if manager is not None else "",
        certificates=tuple(one.name for one in certificates),
        secrets=secrets,
        extensions=frozenset(_extensions(manager)) if manager is not None else frozenset(),
        backends=backends,
        but_names=_without_names(message),
    )


def _without_names(message: pb.FilterChain) -> bytes:
    rest = pb.FilterChain()
    rest.CopyFrom(message)
    rest.filter_chain_match.ClearField("server_names")
    return rest.SerializeToString(deterministic=True)


def _manager(message: pb.FilterChain) -> pb.HttpConnectionManager | None:
    for one in message.filters:
        if one.name == HCM:
            return pb.HttpConnectionManager.FromString(one.typed_config.value)
    return None


def _table(manager: pb.HttpConnectionManager) -> str:
    if manager.HasField("scoped_routes"):
        return manager.scoped_routes.name
    return manager.rds.route_config_name if manager.HasField("rds") else ""


def _extensions(manager: pb.HttpConnectionManager) -> Iterator[str]:
    return (one.name for one in manager.http_filters if one.HasField("config_discovery"))


def _backends(message: pb.FilterChain) -> Iterator[str]:
    for one in message.filters:
        if one.name == TCP_PROXY:
            proxy = pb.TcpProxy.FromString(one.typed_config.value)
            if proxy.cluster:
                yield proxy.cluster
            yield from (share.name for share in proxy.weighted_clusters.clusters)


def _tls(message: pb.FilterChain) -> pb.DownstreamTlsContext | None:
    """How its connections are secured."""
    socket = message.transport_socket
    if not socket.typed_config.value:
        return None
    if socket.name == QUIC:
        return pb.QuicDownstreamTransport.FromString(socket.typed_config.value).downstream_tls_context
    return pb.DownstreamTlsContext.FromString(socket.typed_config.value)


def _names_of_secrets(message: Message) -> Iterator[str]:
    """Wherever in a message a secret is named."""
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for inner in value if field.is_repeated else (value,):
            if isinstance(inner, pb.SdsSecretConfig):
                yield inner.name
            else:
                yield from _names_of_secrets(inner)
