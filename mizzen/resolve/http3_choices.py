"""Whether a server of a Gateway, or a host of it, is had over HTTP/3: `on`, `off`, or `only`, and who chose it.

The most specific of those who say it counts: an HTTP3Policy for the host, for the server, for the Gateway, the Gateway's
annotation `mizzen.dev/http3`, a policy for the workload, its namespace, the mesh; else the switch of the mesh.
"""

from collections.abc import Collection, Mapping

from mizzen.lazy import dataclass
from mizzen.resolve.context import Context
from mizzen.resolve.hosts import wildcard_of
from mizzen.resolve.http3_policies import Chosen, Rank, RankedPolicy, bare, chosen, of_hosts, of_server
from mizzen.resources.istio.gateway import Gateway, Server
from mizzen.resources.mizzen.http3_policy import ANNOTATION, MODES, HTTP3Mode, HTTP3PolicySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen. `by`: the object that says so, as users read it; "": the switch of the mesh."""

    mode: HTTP3Mode
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is chosen of a server, and of those of its hosts that are not had over HTTP/3 though others are."""

    server: Choice
    off: tuple[tuple[str, str], ...] = ()  # host in lower case, and by whom; sorted
    hosts: tuple[str, ...] = ()  # all: the server's, and those of policies that a wildcard of it covers

    @property
    def hosts_off(self) -> tuple[str, ...]:
        """Those hosts: exact ones, and wildcards that the server names."""
        return tuple(host for host, _ in self.off)


def choices(ctx: Context, gateway: Gateway, server: Server) -> Choices:
    """A server of which one host is had over HTTP/3 has a mirror, whatever is chosen of the server."""
    whole = choice_of_server(ctx, gateway, server)
    own, named = dict.fromkeys(map(bare, server.hosts)), of_hosts(ctx, gateway, server)
    if not named:
        return Choices(server=whole, hosts=tuple(own))
    covered = (one for one in named if one not in own and not one.startswith("*") and wildcard_of(one, own))
    by_host = {host: _of_host(host, own, named) or whole for host in (*own, *covered)}
    off = tuple(sorted((host, one.by) for host, one in by_host.items() if one.mode == "off"))
    on = next((one for one in by_host.values() if one.mode != "off"), None)
    if on is None:
        # All are: so is the server, by whoever says it of the first.
        by_first = Choice(mode="off", by=off[0][1]) if off else whole
        return Choices(server=whole if whole.mode == "off" else by_first, hosts=tuple(by_host))
    return Choices(server=on if whole.mode == "off" else whole, off=off, hosts=tuple(by_host))


def choice_of_server(ctx: Context, gateway: Gateway, server: Server) -> Choice:
    """What is chosen of a server as a whole."""
    found: Chosen[HTTP3Mode] | None = chosen(of_server(ctx, gateway, server), _mode)
    annotation = gateway.meta.annotations.get(ANNOTATION)
    said = next((mode for mode in MODES if mode == annotation), None)
    if said is not None and (found is None or found.rank < Rank.GATEWAY):
        return Choice(mode=said, by=f"the annotation {ANNOTATION} of {gateway.ref}")
    if found is not None:
        return Choice(mode=found.value, by=str(found.policy.ref))
    return Choice(mode="on" if ctx.switches.quic_listeners else "off")


def _of_host(host: str, own: Collection[str], named: Mapping[str, tuple[RankedPolicy, ...]]) -> Choice | None:
    """What is chosen of this host, or of the entry of the server (its `own`) that it falls under."""
    for name in (host,) if host in own else (host, wildcard_of(host, own)):
        found: Chosen[HTTP3Mode] | None = chosen(named.get(name, ()), _mode)
        if found is not None:
            return Choice(mode=found.value, by=str(found.policy.ref))
    return None


def _mode(spec: HTTP3PolicySpec) -> HTTP3Mode | None:
    return spec.mode
