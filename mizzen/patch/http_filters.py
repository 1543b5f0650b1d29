"""HTTP_FILTER: the filters of a connection manager, as Istio would have them.

Istio's chain of filters and ours differ in three ways, which a patch does not notice:

- Ours begins with filters that Istio has not (the announcement of HTTP/3, the limits of headers ...). They stay first: first
  among the filters that a patch knows is behind them.
- Authorizers, tokens, rules of access and plugins (`envoy.filters.http.ext_authz`, `jwt_authn`, `rbac` ...) are one filter, told apart.
  Where a patch names one of them, they stand in that chain themselves, as in Istio.
- Filters that Istio's own build of Envoy has are not there. What stands beside them stands where they would be.

Requests for WebSockets over HTTP/2 and 3 meet a list of filters of their own, which is patched alike: else they would pass a guard by.
"""

from collections.abc import Mapping

from mizzen._api import pb
from mizzen.envoy.filters import access_policies, cors, fault, grpc_stats, grpc_web, router
from mizzen.lazy import dataclass
from mizzen.messages.merging import unpacked
from mizzen.model.patch import Operation, Patch, Target
from mizzen.patch.prepared import Work, place, replaced, value_of

# What each chain has itself, whoever is judged.
_ALWAYS_THERE = frozenset({cors.NAME, fault.NAME, grpc_stats.NAME, grpc_web.NAME, router.NAME})
# Of Istio's own build: "" for before all others, else what they stand before.
_MISSING: Mapping[str, str] = {
    "istio.metadata_exchange": "",
    "istio.alpn": fault.NAME,
    "istio.stats": router.NAME,
}
_INSERTING = frozenset({Operation.INSERT_BEFORE, Operation.INSERT_AFTER})


@dataclass(frozen=True, slots=True)
class Judges:
    """The filters for whoever is judged, which all chains of the proxy share."""

    filters: tuple[pb.HttpFilter, ...] = ()

    @staticmethod
    def of(body: bytes | None) -> "Judges":
        """`body`: the resource that holds them, None where nobody is judged."""
        if body is None:
            return Judges()
        config = unpacked(pb.TypedExtensionConfig.FromString(body).typed_config)
        assert isinstance(config, pb.HttpFilterChainConfig)
        listed = config.default_filter_chain.filters
        return Judges(tuple(pb.HttpFilter(name=one.name, typed_config=one.typed_config) for one in listed))


def is_own(name: str) -> bool:
    """Is it a filter that Istio's chain has not, and no patch knows of?"""
    return name.startswith(("mizzen.", "alt-svc/"))


def may_name_judges(patch: Patch) -> bool:
    """May it ask for one of the shared filters?"""
    return patch.target is Target.HTTP_FILTER and _anchor(patch) not in (None, *_ALWAYS_THERE)


def _anchor(patch: Patch) -> str | None:
    chain = patch.listener.chain if patch.listener else None
    return chain.http_filter if chain else None


def patch_http_filters(
    manager: pb.HttpConnectionManager, patches: list[Patch], judges: Judges, work: Work
) -> None:
    """Apply `patches`, all of which are for this connection manager, to each of its lists of filters."""
    if not patches:
        return
    lists = [manager.http_filters, *(one.filters for one in manager.upgrade_configs if len(one.filters))]
    names = {one.name for one in judges.filters if not is_own(one.name)}
    apart = not any(_anchor(patch) in names for patch in patches)
    for filters in lists:
        listed = list(filters) if apart else _with_judges(list(filters), judges)
        first = next((at for at, one in enumerate(listed) if not _is_leading(one)), len(listed))
        rest = listed[first:]
        for patch in patches:
            if patch.operation is not Operation.MERGE:
                _arrange(rest, patch, work)
        for one in rest:
            for patch in patches:
                if (
                    patch.operation is Operation.MERGE
                    and _anchor(patch) in (None, one.name)
                    and not is_own(one.name)
                ):
                    work.merge_filter(one, patch, is_named=_anchor(patch) is not None)
                    if value_of(patch).typed_config.type_url == one.typed_config.type_url:
                        one.disabled = False  # it is off only as long as nobody says anything of it
        replaced(filters, [*listed[:first], *rest])


def _is_leading(one: pb.HttpFilter) -> bool:
    return is_own(one.name) and one.name != access_policies.NAME


def _with_judges(filters: list[pb.HttpFilter], judges: Judges) -> list[pb.HttpFilter]:
    """The shared filters in the place of the one that stands for them."""
    out: list[pb.HttpFilter] = []
    for one in filters:
        out.extend(judges.filters if one.name == access_policies.NAME else (one,))
    return out


def _arrange(rest: list[pb.HttpFilter], patch: Patch, work: Work) -> None:
    anchor = _anchor(patch)
    if patch.operation is Operation.REMOVE:
        kept = [one for one in rest if one.name != anchor]
        if len(kept) < len(rest) or anchor in _MISSING:
            work.hits.add(patch)
        rest[:] = kept
        return
    new = pb.HttpFilter()
    new.CopyFrom(value_of(patch))
    before = _MISSING.get(anchor or "")
    if patch.operation in _INSERTING and before is not None and all(one.name != anchor for one in rest):
        at = next((index for index, one in enumerate(rest) if one.name == before), 0)
        rest.insert(at, new)
        work.hits.add(patch)
        return
    if place(rest, new, patch.operation, None if anchor is None else lambda one: one.name == anchor):
        work.hits.add(patch)
    _end_with_router(rest, new)


def _end_with_router(rest: list[pb.HttpFilter], new: pb.HttpFilter) -> None:
    """Nothing may stand behind the router, which Envoy would refuse: what is added there stands before it."""
    if len(rest) > 1 and rest[-1] is new and rest[-2].name == router.NAME:
        rest[-2:] = [new, rest[-2]]
