"""LISTENER, LISTENER_FILTER, FILTER_CHAIN and NETWORK_FILTER: one listener and all that is in it."""

from mizzen._api import pb
from mizzen.envoy.filter_chain import HCM, REFUSE_NOT_MIRRORED, REFUSE_UNKNOWN
from mizzen.lazy import dataclass
from mizzen.messages.merging import merge, merge_packed, unpacked
from mizzen.model.listener import Edge
from mizzen.model.patch import Operation, Patch, Target
from mizzen.patch import limits, matching
from mizzen.patch.http_filters import Judges, patch_http_filters
from mizzen.patch.prepared import MERGING, Work, is_for_side, place, replaced, value_of

_OWN_CHAINS = frozenset({REFUSE_UNKNOWN, REFUSE_NOT_MIRRORED})  # they refuse whom nobody serves
_TCP_LEVEL = 6  # IPPROTO_TCP
_QUIC = f"/{pb.QuicDownstreamTransport.DESCRIPTOR.full_name}"
_MANAGER = f"/{pb.HttpConnectionManager.DESCRIPTOR.full_name}"


@dataclass(frozen=True, slots=True)
class Around:
    """What connection managers of a listener depend on beside it."""

    edge: Edge
    judges: Judges = Judges()


def patch_listener(one: pb.Listener, around: Around, work: Work) -> bool:
    """Patch a listener in its place; False where it is removed."""
    inbound = one.traffic_direction == pb.TrafficDirection.INBOUND
    mine = [
        patch
        for patch in work.patches
        if is_for_side(patch, inbound=inbound) and matching.listener(patch, one)
    ]
    for patch in mine:
        if patch.target is not Target.LISTENER or patch.operation is Operation.ADD:
            continue
        work.hits.add(patch)
        if patch.operation is Operation.REMOVE:
            return False
        _merge_listener(one, patch, work)
    _patch_listener_filters(one, [patch for patch in mine if patch.target is Target.LISTENER_FILTER], work)
    _patch_chains(one, mine, around, work)
    return True


def _merge_listener(one: pb.Listener, patch: Patch, work: Work) -> None:
    if not matching.is_quic(one):
        work.merge(one, patch)
        return
    value = pb.Listener()
    value.CopyFrom(value_of(patch))
    _clear_tcp(value)
    merge(one, value, replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST)


def _clear_tcp(value: pb.Listener) -> None:
    """Take out what a listener over UDP has not, and Envoy refuses, or cannot do."""
    value.ClearField("tcp_fast_open_queue_length")
    value.ClearField("tcp_backlog_size")
    value.ClearField("tcp_keepalive")
    value.ClearField("connection_balance_config")
    value.ClearField("listener_filters")
    value.ClearField("filter_chains")
    value.ClearField("default_filter_chain")
    value.ClearField("use_original_dst")
    value.ClearField("transparent")
    value.ClearField("enable_mptcp")
    value.ClearField("max_connections_to_accept_per_socket_event")
    replaced(value.socket_options, [one for one in value.socket_options if one.level != _TCP_LEVEL])


# --- listener filters -------------------------------------------------------------------------------


def _patch_listener_filters(one: pb.Listener, patches: list[Patch], work: Work) -> None:
    if matching.is_quic(one):  # those of TCP are of another kind: only who names the listener means it
        patches = [patch for patch in patches if patch.listener and patch.listener.name == one.name]
    filters = list(one.listener_filters)
    for patch in patches:
        wanted = patch.listener.listener_filter if patch.listener else ""
        _patch_listener_filter(filters, wanted, patch, work)
    if patches:
        replaced(one.listener_filters, filters)


def _patch_listener_filter(filters: list[pb.ListenerFilter], wanted: str, patch: Patch, work: Work) -> None:
    if patch.operation is Operation.REMOVE:
        kept = [one for one in filters if one.name != wanted]
        if len(kept) < len(filters):
            work.hits.add(patch)
        filters[:] = kept
    elif patch.operation is Operation.MERGE:
        for one in filters:
            if one.name == wanted:
                work.merge_filter(one, patch)
    else:
        new = pb.ListenerFilter()
        new.CopyFrom(value_of(patch))
        if place(filters, new, patch.operation, (lambda one: one.name == wanted) if wanted else None):
            work.hits.add(patch)


# --- chains -----------------------------------------------------------------------------------------


def _patch_chains(one: pb.Listener, mine: list[Patch], around: Around, work: Work) -> None:
    kept = []
    for chain in one.filter_chains:
        if chain.name in _OWN_CHAINS or _patch_chain(one, chain, mine, around, work):
            kept.append(chain)
    default = one.default_filter_chain
    if (
        one.HasField("default_filter_chain")
        and default.name not in _OWN_CHAINS
        and not _patch_chain(one, default, mine, around, work)
    ):
        one.ClearField("default_filter_chain")
    for patch in mine:
        if patch.target is Target.FILTER_CHAIN and patch.operation is Operation.ADD:
            work.hits.add(patch)
            if not matching.is_quic(one) or _is_for_quic(value_of(patch)):
                kept.append(value_of(patch))
    replaced(one.filter_chains, kept)


def _is_for_quic(chain: pb.FilterChain) -> bool:
    return chain.transport_socket.typed_config.type_url.endswith(_QUIC)


def _patch_chain(
    one: pb.Listener, chain: pb.FilterChain, mine: list[Patch], around: Around, work: Work
) -> bool:
    """False where it is removed."""
    mine = [patch for patch in mine if matching.chain(patch, one, chain)]
    for patch in mine:
        if patch.target is not Target.FILTER_CHAIN or patch.operation is Operation.ADD:
            continue
        work.hits.add(patch)
        if patch.operation is Operation.REMOVE:
            return False
        _merge_chain(chain, patch, work, is_quic=matching.is_quic(one))
    _patch_network_filters(one, chain, mine, around, work)
    return True


def _merge_chain(chain: pb.FilterChain, patch: Patch, work: Work, *, is_quic: bool) -> None:
    """A transport socket is merged into the one of its name, and then nothing else of the patch counts, as in Istio. What is said of
    TLS is said of TLS in QUIC."""
    value: pb.FilterChain = value_of(patch)
    held, given = chain.transport_socket, value.transport_socket
    if not value.HasField("transport_socket") or not chain.HasField("transport_socket"):
        work.merge(chain, patch)
    elif is_quic and given.typed_config.type_url != held.typed_config.type_url:
        _merge_tls_into_quic(held.typed_config, given.typed_config, patch, work)
    elif held.name == given.name:
        try:
            merge_packed(held.typed_config, given.typed_config)
        except ValueError as error:
            work.failed[patch] = str(error)
    else:
        work.merge(chain, patch)


def _merge_tls_into_quic(held: pb.Any, given: pb.Any, patch: Patch, work: Work) -> None:
    quic, tls = unpacked(held), unpacked(given)
    if isinstance(quic, pb.QuicDownstreamTransport) and isinstance(tls, pb.DownstreamTlsContext):
        merge(quic.downstream_tls_context, tls)
        held.Pack(quic, deterministic=True)
    else:
        work.failed[patch] = "HTTP/3 has TLS in QUIC, and no other transport"


# --- network filters --------------------------------------------------------------------------------


def _patch_network_filters(
    one: pb.Listener, chain: pb.FilterChain, mine: list[Patch], around: Around, work: Work
) -> None:
    of_network = [patch for patch in mine if patch.target is Target.NETWORK_FILTER]
    of_http = [patch for patch in mine if patch.target is Target.HTTP_FILTER]
    if not of_network and not of_http:
        return
    is_quic = matching.is_quic(one)
    filters = list(chain.filters)
    for patch in of_network:
        if patch.operation not in MERGING:
            _arrange(filters, patch, work)
    for filter_ in filters:
        merged = [
            patch
            for patch in of_network
            if patch.operation is Operation.MERGE and matching.network_filter(patch, filter_.name)
        ]
        if filter_.name != HCM or not filter_.typed_config.type_url.endswith(_MANAGER):
            for patch in merged:
                work.merge_filter(filter_, patch, is_named=_names_a_filter(patch))
            continue
        _patch_manager(
            filter_,
            merged,
            [patch for patch in of_http if matching.network_filter(patch, filter_.name)],
            around,
            work,
            is_quic=is_quic,
        )
    replaced(chain.filters, filters)


def _names_a_filter(patch: Patch) -> bool:
    asked = patch.listener.chain if patch.listener else None
    return bool(asked and asked.network_filter)


def _arrange(filters: list[pb.Filter], patch: Patch, work: Work) -> None:
    asked = patch.listener.chain if patch.listener else None
    wanted = asked.network_filter if asked else None
    if patch.operation is Operation.REMOVE:
        kept = [one for one in filters if one.name != wanted]
        if len(kept) < len(filters):
            work.hits.add(patch)
        filters[:] = kept
        return
    new = pb.Filter()
    new.CopyFrom(value_of(patch))
    if place(filters, new, patch.operation, None if wanted is None else lambda one: one.name == wanted):
        work.hits.add(patch)


def _patch_manager(
    filter_: pb.Filter,
    merged: list[Patch],
    of_http: list[Patch],
    around: Around,
    work: Work,
    *,
    is_quic: bool,
) -> None:
    """A connection manager: what is merged into it, then its filters."""
    if not merged and not of_http and not is_quic:
        return
    manager = pb.HttpConnectionManager.FromString(filter_.typed_config.value)
    judged_by_us = limits.hide(manager)
    filter_.typed_config.Pack(manager, deterministic=True)
    for patch in merged:
        work.merge_filter(filter_, patch, is_named=_names_a_filter(patch))
    manager = pb.HttpConnectionManager.FromString(filter_.typed_config.value)
    if judged_by_us:
        limits.restore(manager, around.edge)
    if is_quic:
        manager.codec_type = pb.HttpConnectionManager.HTTP3  # QUIC speaks nothing else
    patch_http_filters(manager, of_http, around.judges, work)
    filter_.typed_config.Pack(manager, deterministic=True)
