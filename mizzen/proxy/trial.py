"""Tries resources in an Envoy of their own, that serves nobody: is a configuration taken, refused, or deadly?

`envoy --mode validate` makes all of what it is given (filters, matchers, clusters, listeners) as a running Envoy does
when it is told, opens no port and ends. A trial costs some 60 ms of CPU; a route table of 10,000 hosts some 300 ms.

What is told apart over ADS (routes, endpoints, extension configurations) stands here in listeners and clusters made for
it. Secrets take no part: they never touch the disk, and each has one author.
"""

import asyncio
import contextlib
import re
import resource
import tempfile
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.http3.server_ids import environment
from mizzen.lazy import dataclass
from mizzen.proxy.bootstrap import RUNTIME
from mizzen.xds.refusal import reason
from mizzen.xds.start import deadly_signal

Name = tuple[str, str]  # (type URL, name)

TRIAL_SECONDS = 20.0  # of the clock; 100,000 routes need 3
_CPU_SECONDS = 60  # for a trial whose parent is gone
_REFUSED = re.compile(r"error initializing configuration '[^']*': (?P<why>.*)", re.DOTALL)
_LOG_HEAD = re.compile(r"^\[\d{4}-\d\d-\d\d [^\]]*\](?:\s*\[[^\]]*\])*\s*", re.MULTILINE)
_TRACE = re.compile(r"#\d+: |Backtrace|Envoy version|Address mapping|suspect faulting address")
_PREFIX, _SUFFIX = ".trial-", ".pb"
_HCM = "envoy.filters.network.http_connection_manager"
_ROUTER = "envoy.filters.http.router"


class Outcome(Enum):
    """What came of a trial."""

    TAKEN = "taken"
    REFUSED = "refused"
    DEADLY = "deadly"
    UNKNOWN = "unknown"  # the trial itself failed: no binary, no time, no disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome, and Envoy's words for it."""

    outcome: Outcome
    why: str = ""

    @property
    def is_taken(self) -> bool:
        return self.outcome is Outcome.TAKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Tries configurations with the binary `envoy`; `folder` is for its files while they are tried."""

    envoy: Path
    folder: Path
    seconds: float = TRIAL_SECONDS

    async def run(self, resources: Mapping[Name, Message], clusters: Iterable[str] = ()) -> Verdict:
        """What Envoy has against these, taken together. Raises nothing.

        `clusters`: names of clusters that are there, too, and not in question.
        """
        content = trial_bootstrap(resources, clusters).SerializeToString()
        try:
            # For its owner alone; what is in it is also in last-good.json: no private key.
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=_PREFIX, suffix=_SUFFIX) as file:
                file.write(content)
                file.flush()
                return await self._run(file.name)
        except OSError as error:
            return Verdict(outcome=Outcome.UNKNOWN, why=str(error))

    async def _run(self, file: str) -> Verdict:
        process = await asyncio.create_subprocess_exec(
            str(self.envoy),
            *("--mode", "validate", "-c", file, "--disable-hot-restart", "--concurrency", "1", "-l", "error"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment("", "", "trial"),
            start_new_session=True,
        )
        try:
            with contextlib.suppress(OSError):  # it has ended already
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
            async with asyncio.timeout(self.seconds):
                _, said = await process.communicate()
        except TimeoutError:
            return Verdict(
                outcome=Outcome.UNKNOWN, why=f"Envoy did not come to an end within {self.seconds:g} s"
            )
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return verdict(process.returncode, said.decode(errors="replace"))


def remove_left(folder: Path) -> None:
    """Remove what a process that was killed left of its trials."""
    for left in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # it is in nobody's way
            left.unlink()


def verdict(status: int | None, said: str) -> Verdict:
    """What an Envoy that ended with `status` (negative: by that signal) and wrote `said` thought of a configuration."""
    if status == 0:
        return Verdict(outcome=Outcome.TAKEN)
    if number := deadly_signal(status):
        return Verdict(outcome=Outcome.DEADLY, why=last_words(number, said))
    found = _REFUSED.search(said)
    if status == 1 and found:
        return Verdict(outcome=Outcome.REFUSED, why=reason(found["why"]))
    return Verdict(outcome=Outcome.UNKNOWN, why=f"Envoy ended with status {status}")


def last_words(number: str, said: str) -> str:
    """How it ended, and what it wrote of that but for addresses of its code."""
    lines = [_LOG_HEAD.sub("", line).strip() for line in said.splitlines()]
    words = next((line for line in lines if line and not _TRACE.search(line)), "")
    return f"{number}{f': {words}' if words else ''}"


# --- the configuration of a trial -------------------------------------------------------------------


def trial_bootstrap(resources: Mapping[Name, Message], clusters: Iterable[str] = ()) -> pb.Bootstrap:
    """A bootstrap that holds the resources themselves; in the place of other `clusters` empty ones of their names."""
    out = pb.Bootstrap()
    out.node.id = out.node.cluster = "trial"
    out.layered_runtime.layers.add(name="global config").static_layer.update(RUNTIME)
    ads = out.dynamic_resources.ads_config
    ads.api_type, ads.transport_api_version = pb.ApiConfigSource.DELTA_GRPC, pb.ApiVersion.V3
    ads.grpc_services.add().envoy_grpc.cluster_name = "xds-grpc"
    given = {message.name for message in resources.values() if isinstance(message, pb.Cluster)}
    for name in dict.fromkeys(("xds-grpc", "sds-grpc", *clusters)):
        if name in given:
            continue
        out.static_resources.clusters.add(name=name, type=pb.Cluster.STATIC)
    scopes: list[pb.ScopedRouteConfiguration] = []
    for message in _in_order(resources):
        if isinstance(message, pb.ScopedRouteConfiguration):
            scopes.append(message)
        else:
            _add(out, message)
    for table in _together(scopes):
        _add_routes(out, table, ())
    return out


def _together(scopes: Iterable[pb.ScopedRouteConfiguration]) -> Iterable[pb.RouteConfiguration]:
    """The tables that hosts are of which are told by themselves: a listener for each host would take long."""
    tables: dict[str, pb.RouteConfiguration] = {}
    domains: dict[str, set[str]] = {}
    for scope in scopes:
        name, hosts = scope.route_configuration.name, scope.route_configuration.virtual_hosts
        own = {domain for host in hosts for domain in host.domains}
        if own & domains.get(name, set()):  # it is of another table of that name
            name = f"{name}/{len(tables)}"
        if name not in tables:
            tables[name] = pb.RouteConfiguration()
            tables[name].CopyFrom(scope.route_configuration)
            domains[name] = own
            continue
        domains[name] |= own
        for host in hosts:
            added = tables[name].virtual_hosts.add()
            added.CopyFrom(host)
            added.name = f"{host.name} {len(tables[name].virtual_hosts)}"  # one host may have several domains
    return tables.values()


def _in_order(resources: Mapping[Name, Message]) -> Iterable[Message]:
    return (message for _, message in sorted(resources.items(), key=lambda item: item[0]))


def _add(out: pb.Bootstrap, message: Message) -> None:
    static = out.static_resources
    match message:
        case pb.Listener():
            static.listeners.append(message)
        case pb.Cluster():
            static.clusters.append(message)
        case pb.ClusterLoadAssignment():
            made = static.clusters.add(name=f"trial-{len(static.clusters)}", type=pb.Cluster.STATIC)
            made.load_assignment.CopyFrom(message)
        case pb.RouteConfiguration():
            _add_routes(out, message, ())
        case pb.TypedExtensionConfig():
            _add_routes(out, pb.RouteConfiguration(name="none"), (message,))
        case _:  # secrets
            return


def _add_routes(
    out: pb.Bootstrap, routes: pb.RouteConfiguration, filters: tuple[pb.TypedExtensionConfig, ...]
) -> None:
    """A listener, which no validation opens, that has these."""
    manager = pb.HttpConnectionManager(stat_prefix="trial", route_config=routes)
    manager.route_config.validate_clusters.value = False  # as over RDS
    for one in filters:
        manager.http_filters.add(name=one.name, typed_config=one.typed_config)
    manager.http_filters.add(name=_ROUTER, typed_config=_packed(pb.Router()))
    number = len(out.static_resources.listeners)
    listener = out.static_resources.listeners.add(name=f"trial-{number}")
    listener.address.socket_address.address = "127.0.0.1"
    listener.address.socket_address.port_value = 1 + number % 65_000
    listener.filter_chains.add().filters.add(name=_HCM, typed_config=_packed(manager))


def _packed(message: Message) -> AnyMessage:
    out = AnyMessage()
    out.Pack(message, deterministic=True)
    return out
