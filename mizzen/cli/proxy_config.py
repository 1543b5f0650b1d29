"""`mizzen proxy-config`: what the running Envoy really holds, in istioctl's tables."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from mizzen.cli import dump, options, printing, reach, tables
from mizzen.lazy import dataclass

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which resources are shown; None shows all."""

    address: str | None = None
    port: int | None = None
    name: str | None = None
    fqdn: str | None = None
    subset: str | None = None
    direction: str | None = None
    cluster: str | None = None
    status: str | None = None

    def listener(self, one: Json) -> bool:
        address, port, _ = tables.address(one)
        return (
            self.address in (None, address)
            and self.port in (None, port)
            and self.name in (None, one.get("name"))
        )

    def route(self, one: Json) -> bool:
        return self.name in (None, one.get("name"))

    def of_cluster(self, one: Json) -> bool:
        fqdn, port, subset, direction = tables.cluster_parts(one.get("name", ""))
        return (
            self.name in (None, one.get("name"))
            and (self.fqdn is None or self.fqdn in fqdn)
            and (self.port is None or str(self.port) == port)
            and (self.subset is None or self.subset == subset)
            and (self.direction is None or self.direction == direction)
        )

    def endpoint(self, one: Json) -> bool:
        socket = one.get("address", {}).get("socketAddress", {})
        status = one.get("healthStatus", {}).get("edsHealthStatus", "HEALTHY")
        return (
            self.address in (None, socket.get("address"))
            and self.port in (None, int(socket.get("portValue", 0)))
            and (self.cluster or self.name) in (None, one["cluster"])
            and (self.status is None or self.status.lower() == status.lower())
        )

    def secret(self, one: tuple[Json, str]) -> bool:
        return self.name in (None, one[0].get("name"))


class Envoy:
    """One running Envoy, asked at most once for each thing."""

    def __init__(self, target: reach.Target, key: str) -> None:
        self._target, self._key = target, key
        self._dump: Any = None

    def dump(self) -> Any:
        if self._dump is None:
            self._dump = dump.config_dump(self._target.admin(self._key, "/config_dump"))
        return self._dump

    def hosts(self) -> list[Json]:
        return dump.endpoints(self._target.admin(self._key, "/clusters?format=json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One kind of resource: how it is found, filtered and shown."""

    header: tuple[str, ...]
    padding: int
    find: Callable[[Envoy, Wanted], Sequence[Any]]
    rows: Callable[[Sequence[Any]], tables.Rows]
    value: Callable[[Any], Json]
    prefix: str  # what `all` puts before each row's name
    none: str  # what is said when there is nothing


def _same(value: Json) -> Json:
    return value


VIEWS = {
    "clusters": View(
        header=tables.CLUSTERS,
        padding=5,
        find=lambda envoy, wanted: [c for c in dump.clusters(envoy.dump()) if wanted.of_cluster(c)],
        rows=tables.cluster_rows,
        value=_same,
        prefix="cluster",
        none="no clusters found",
    ),
    "listeners": View(
        header=tables.LISTENERS,
        padding=1,
        find=lambda envoy, wanted: [one for one in dump.listeners(envoy.dump()) if wanted.listener(one)],
        rows=tables.listener_rows,
        value=_same,
        prefix="listener",
        none="no listeners found",
    ),
    "routes": View(
        header=tables.ROUTES,
        padding=5,
        find=lambda envoy, wanted: [r for r in dump.routes(envoy.dump()) if wanted.route(r)],
        rows=tables.route_rows,
        value=_same,
        prefix="route",
        none="no routes found",
    ),
    "endpoints": View(
        header=tables.ENDPOINTS,
        padding=5,
        find=lambda envoy, wanted: [host for host in envoy.hosts() if wanted.endpoint(host)],
        rows=tables.endpoint_rows,
        value=_same,
        prefix="endpoint",
        none="no endpoints found",
    ),
    "secret": View(
        header=tables.SECRETS,
        padding=5,
        find=lambda envoy, wanted: [s for s in dump.secrets(envoy.dump()) if wanted.secret(s)],
        rows=lambda found: tables.secret_rows(found, datetime.now(UTC)),
        value=lambda one: one[0],
        prefix="secret",
        none="No active or warming secrets found.",
    ),
    "ecds": View(
        header=tables.EXTENSIONS,
        padding=5,
        find=lambda envoy, wanted: [e for e in dump.extensions(envoy.dump()) if wanted.route(e)],
        rows=tables.extension_rows,
        value=_same,
        prefix="ecds",
        none="no extension configs found",
    ),
}
ALIASES = {
    "listener": "listeners",
    "l": "listeners",
    "route": "routes",
    "r": "routes",
    "cluster": "clusters",
    "c": "clusters",
    "endpoint": "endpoints",
    "ep": "endpoints",
    "secrets": "secret",
    "s": "secret",
    "ec": "ecds",
    "a": "all",
}


class Kinds(click.Choice[str]):
    """The kinds of resources, with istioctl's short names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(ALIASES.get(value, value), param, ctx)


@click.command("proxy-config")
@click.argument(
    "kind", type=Kinds([*VIEWS, "all"]), metavar="listeners|routes|clusters|endpoints|secret|ecds|all"
)
@click.argument("gateway", required=False)
@click.option("--address", help="Only this address (listeners, endpoints).")
@click.option("--port", type=int, help="Only this port (listeners, endpoints, clusters).")
@click.option("--name", help="Only the resource of this name.")
@click.option("--fqdn", help="Only clusters whose host contains this.")
@click.option("--subset", help="Only clusters of this subset.")
@click.option("--direction", help="Only clusters of this direction.")
@click.option("--cluster", help="Only endpoints of this cluster.")
@click.option("--status", help="Only endpoints with this health.")
@options.output("short", "json", "yaml")
@reach.target
def command(kind: str, gateway: str | None, output: str, target: reach.Target, **filters: Any) -> None:
    """Print what the running Envoy of GATEWAY holds (its own config_dump).

    GATEWAY is NAME, NAME.NAMESPACE or deploy/NAME[.NAMESPACE]; in a cluster a Pod, or deploy/NAME, svc/NAME ...
    It may be left out when there is only one (sidecars do not count beside a gateway).
    """
    envoy, wanted = Envoy(target, target.key(gateway)), Wanted(**filters)
    if kind == "all":
        click.echo(show_all(envoy, wanted, output), nl=False)
        return
    view = VIEWS[kind]
    found = view.find(envoy, wanted)
    if output != "short":
        click.echo(printing.as_text([view.value(one) for one in found], output), nl=False)
    elif not found:
        raise click.ClickException(view.none)
    else:
        click.echo(tables.table(view.header, view.rows(found), view.padding), nl=False)


def show_all(envoy: Envoy, wanted: Wanted, output: str) -> str:
    """Every table one after the other, each row named KIND/NAME; or one JSON object with a list of each."""
    found = {name: view.find(envoy, wanted) for name, view in VIEWS.items()}
    if output != "short":
        values = {name: [VIEWS[name].value(one) for one in some] for name, some in found.items()}
        return printing.as_text(values, output)
    texts = []
    for name, some in found.items():
        view = VIEWS[name]
        if rows := [(f"{view.prefix}/{row[0]}", *row) for row in view.rows(some)]:
            texts.append(tables.table(("NAME", *view.header), rows, view.padding))
    return "\n".join(texts)
