"""What Istio's webhook refuses of a patch of an EnvoyFilter, and what of one has no effect.

Sources: istio pkg/config/validation/envoyfilter, pilot/pkg/model/envoyfilter.go and pilot/pkg/networking/core/envoyfilter.
"""

from collections.abc import Iterator, Mapping

import re2

from mizzen.messages.written import Mistake
from mizzen.model.patch import Operation, Target
from mizzen.resources.istio.envoy_filter import ConfigObjectMatch, ConfigPatch, ListenerMatch
from mizzen.resources.rules.envoy_filter import LONGEST_VERSION

HCM = "envoy.filters.network.http_connection_manager"
_MANAGERS = frozenset({HCM, "envoy.http_connection_manager"})  # the second is a name of former times

_OF_LISTENERS = frozenset(
    {
        Target.LISTENER,
        Target.FILTER_CHAIN,
        Target.NETWORK_FILTER,
        Target.HTTP_FILTER,
        Target.LISTENER_FILTER,
    }
)
_OF_ROUTES = frozenset({Target.ROUTE_CONFIGURATION, Target.VIRTUAL_HOST, Target.HTTP_ROUTE})
_INSERTING = frozenset({Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST})
_MERGING = frozenset({Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST})
_FILTERS = _INSERTING | {Operation.MERGE, Operation.ADD, Operation.REMOVE, Operation.REPLACE}
_EFFECTIVE: Mapping[Target, frozenset[Operation]] = {
    Target.LISTENER: _MERGING | {Operation.ADD, Operation.REMOVE},
    Target.FILTER_CHAIN: _MERGING | {Operation.ADD, Operation.REMOVE},
    Target.NETWORK_FILTER: _FILTERS,
    Target.HTTP_FILTER: _FILTERS,
    Target.LISTENER_FILTER: _FILTERS,
    Target.ROUTE_CONFIGURATION: _MERGING,
    Target.VIRTUAL_HOST: _MERGING | {Operation.ADD, Operation.REMOVE, Operation.REPLACE},
    Target.HTTP_ROUTE: _MERGING | _INSERTING | {Operation.ADD, Operation.REMOVE},
    Target.CLUSTER: _MERGING | {Operation.ADD, Operation.REMOVE},
    Target.EXTENSION_CONFIG: frozenset({Operation.ADD}),
}
# An inserted filter or route has a place; of all else there is no first.
_HAVE_A_PLACE = frozenset(
    {Target.NETWORK_FILTER, Target.HTTP_FILTER, Target.LISTENER_FILTER, Target.HTTP_ROUTE}
)


def operation_of(target: Target, written: str) -> Operation:
    """What is done: to insert where there is no order is to add."""
    operation = Operation(written)
    return Operation.ADD if operation in _INSERTING and target not in _HAVE_A_PLACE else operation


def without_effect(patch: ConfigPatch, target: Target, operation: Operation) -> str:
    """Why Istio does nothing at all for a patch; "" where it may do something."""
    if operation not in _EFFECTIVE[target]:
        return f"{operation.value} does nothing for {target.value}"
    needs_one = operation in (Operation.REPLACE, Operation.REMOVE)
    match = patch.match.listener if patch.match else None
    chain = match.filter_chain if match else None
    if target is Target.LISTENER_FILTER and (needs_one or operation is Operation.MERGE):
        return (
            ""
            if match and match.listener_filter
            else f"{operation.value} needs match.listener.listenerFilter"
        )
    if target is Target.NETWORK_FILTER and needs_one:
        return "" if chain and chain.filter else f"{operation.value} needs match.listener.filterChain.filter"
    if target is Target.HTTP_FILTER and needs_one:
        is_named = chain and chain.filter and chain.filter.sub_filter
        return "" if is_named else f"{operation.value} needs match.listener.filterChain.filter.subFilter"
    return ""


def is_relative(target: Target, operation: Operation) -> bool:
    """Does it matter which other EnvoyFilters were applied before? (istioctl: IST0151)"""
    if operation in (Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.REMOVE):
        return target is not Target.ROUTE_CONFIGURATION
    return operation is Operation.REPLACE


def mistakes(patch: ConfigPatch) -> Iterator[Mistake]:
    """What Istio's webhook refuses, but for the value."""
    at = patch.at
    if patch.apply_to == "INVALID":
        yield Mistake(f"{at}.applyTo", "applyTo is missing: nothing says what is patched")
        return
    if patch.patch is None:
        yield Mistake(at, "the patch is missing")
        return
    if patch.patch.operation == "INVALID":
        yield Mistake(f"{at}.patch.operation", "operation is missing: nothing says what is done")
    elif patch.patch.operation != "REMOVE" and not patch.patch.value:
        yield Mistake(f"{at}.patch.value", f"value is missing, and {patch.patch.operation} needs one")
    if patch.match is not None and patch.apply_to != "BOOTSTRAP":
        yield from _of_match(patch.match, Target(patch.apply_to), f"{at}.match")


def _of_match(match: ConfigObjectMatch, target: Target, at: str) -> Iterator[Mistake]:
    pattern = match.proxy.proxy_version if match.proxy else ""
    if pattern and len(pattern) <= LONGEST_VERSION:
        try:
            re2.compile(pattern)
        except re2.error as error:
            yield Mistake(f"{at}.proxy.proxyVersion", f"it is no pattern that RE2 takes: {error}")
    given = {
        "listener": match.listener,
        "routeConfiguration": match.route_configuration,
        "cluster": match.cluster,
    }
    set_ones = [name for name, part in given.items() if part is not None]
    wanted = (
        "listener" if target in _OF_LISTENERS else "routeConfiguration" if target in _OF_ROUTES else "cluster"
    )
    if target is not Target.EXTENSION_CONFIG and set_ones and wanted not in set_ones:
        yield Mistake(f"{at}.{set_ones[0]}", f"{target.value} is matched by {wanted}, not by {set_ones[0]}")
    elif len(set_ones) > 1:
        yield Mistake(f"{at}.{set_ones[-1]}", f"{' and '.join(set_ones)} exclude each other")
    elif match.listener is not None and target in _OF_LISTENERS:
        yield from _of_filters(match.listener, target, f"{at}.listener.filterChain.filter")


def _of_filters(match: ListenerMatch, target: Target, at: str) -> Iterator[Mistake]:
    chosen = match.filter_chain.filter if match.filter_chain else None
    if chosen is None:
        return
    if not chosen.name:
        yield Mistake(at, "the match of a filter has no name")
    elif chosen.sub_filter is not None:
        if target is not Target.HTTP_FILTER:
            yield Mistake(f"{at}.subFilter", "subFilter is for HTTP_FILTER alone")
        elif chosen.name not in _MANAGERS:
            yield Mistake(f"{at}.name", f"subFilter needs the filter {HCM}")
        elif not chosen.sub_filter.name:
            yield Mistake(f"{at}.subFilter", "the match of a subFilter has no name")
