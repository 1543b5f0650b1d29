"""Which VirtualServices a Gateway's servers have, and with which of their hosts."""

from collections.abc import Mapping
from dataclasses import field
from functools import partial

from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.resolve.context import Context, grouped
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.hosts import intersect, usable_by
from mizzen.resolve.names import expand_host
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.world import Key, age_order

MESH = "mesh"


def gateway_key(written: str, namespace: str) -> str:
    """ "namespace/name" of a Gateway as a VirtualService of `namespace` writes it; "mesh" stays.

    "name" and "./name" are of the own namespace; the old form "name.ns[.svc...]" is read too.
    """
    if written == MESH:
        return MESH
    owner, slash, name = written.partition("/")
    if slash:
        return f"{namespace if owner == '.' else owner}/{name}"
    name, dot, rest = written.partition(".")
    return f"{rest.partition('.')[0]}/{name}" if dot else f"{namespace}/{written}"


def gateway_keys(service: VirtualService) -> tuple[str, ...]:
    """The Gateways that a VirtualService is bound to; none written means the mesh alone."""
    return tuple(gateway_key(one, service.namespace) for one in service.spec.gateways or (MESH,))


def exported_to(export_to: tuple[str, ...], default: tuple[str, ...], own: str) -> frozenset[str]:
    """The namespaces that may see an object; {"*"} for all, empty for nobody."""
    wanted = export_to or default or ("*",)
    if "*" in wanted:
        return frozenset({"*"})
    return frozenset(own if one == "." else one for one in wanted if one != "~")


def is_visible(ctx: Context, service: VirtualService, namespace: str) -> bool:
    """May objects of `namespace` see this VirtualService?"""
    seen = exported_to(service.spec.export_to, ctx.mesh.default_virtual_service_export_to, service.namespace)
    return "*" in seen or namespace in seen


def rank_and_gateways(ctx: Context, service: VirtualService) -> tuple[int, tuple[str, ...]]:
    """The place of a VirtualService among others, and the keys of the Gateways that it is bound to; none where the proxy
    may not see it, or it has no hosts.

    Those private to the proxy's namespace come first, then those exported to it by name, then the public ones.
    """
    return attempt(Stage.RESOLVE, service.ref, partial(_bound, ctx, service), ctx.report, (0, ()))


def attached(ctx: Context) -> "Attached":
    """The VirtualServices of each Gateway that pass on bytes (`tcp` and `tls` blocks). To be called by the root of a
    resolution."""
    bound = grouped(ctx, _with_bytes, ctx.world.all_by_key(VirtualService))
    return Attached(ctx.steps.published("attached", bound))


def _with_bytes(ctx: Context, _: Key, service: VirtualService) -> Mapping[str, tuple[int, VirtualService]]:
    if not service.spec.tcp and not service.spec.tls:
        return {}
    rank, keys = rank_and_gateways(ctx, service)
    return dict.fromkeys(keys, (rank, service))


@dataclass(frozen=True, slots=True)
class Attached:
    """Finds the VirtualServices of a Gateway that pass on bytes."""

    _bound: Mapping[str, Mapping[Key, tuple[int, VirtualService]]] = field(default_factory=dict, repr=False)

    def of(self, key: str) -> tuple[VirtualService, ...]:
        """In the order in which their blocks are tried: by rank, each oldest first."""
        pairs = self._bound.get(key, {}).values()
        return tuple(service for _, service in sorted(pairs, key=lambda pair: (pair[0], age_order(pair[1]))))


def _bound(ctx: Context, service: VirtualService) -> tuple[int, tuple[str, ...]]:
    seen = exported_to(service.spec.export_to, ctx.mesh.default_virtual_service_export_to, service.namespace)
    if not service.spec.hosts or not seen & {"*", ctx.proxy.namespace}:
        return 0, ()
    rank = 2 if "*" in seen else 0 if service.namespace == ctx.proxy.namespace else 1
    return rank, tuple(dict.fromkeys(gateway_keys(service)))


def shared_hosts(server: MergedServer, service: VirtualService) -> tuple[str, ...]:
    """The hosts that a server and a VirtualService have in common, as written; none: they do not meet."""
    return intersect(usable_by(server.hosts, service.namespace), hosts_of(service))


def hosts_of(service: VirtualService) -> tuple[str, ...]:
    """The hosts of a VirtualService; one without a dot is a Service of its namespace."""
    return tuple(expand_host(host, service.namespace) for host in service.spec.hosts)
