"""Objects that choose proxies by namespace and labels, and choose none that is here."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.resolve.context import Context, step
from mizzen.resolve.proxies.declared import declared_gateways
from mizzen.resolve.proxies.workloads import templates
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin
from mizzen.resources.istio.proxy_config import ProxyConfig
from mizzen.resources.istio.security import AuthorizationPolicy, RequestAuthentication, WorkloadSelector
from mizzen.resources.istio.telemetry import Telemetry
from mizzen.resources.mizzen.http3_policy import HTTP3Policy
from mizzen.resources.world import World

CODES = {
    "GW-017": "An object chooses proxies by namespace and labels, and there is none that it could be for."
}

_Place = tuple[str, Mapping[str, str]]  # namespace and labels of what has a proxy, or may have one
_Guard = AuthorizationPolicy | RequestAuthentication
_Chooser = HTTP3Policy | Telemetry | ProxyConfig | WasmPlugin | TrafficExtension | _Guard


@step
def check_for_nobody(ctx: Context) -> None:
    """On one machine, where it is known which proxies there may be: gateways, and whatever may have a sidecar."""
    if not ctx.proxy.instances:
        attempt(Stage.RESOLVE, ctx.proxy.origin, partial(_check, ctx), ctx.report, None)


def _check(ctx: Context) -> None:
    world = ctx.world
    choosers: tuple[_Chooser, ...] = (
        *world.telemetries,
        *world.http3_policies,
        *world.proxy_configs,
        *world.wasm_plugins,
        *world.traffic_extensions,
        *world.authorization_policies,
        *world.request_authentications,
    )
    if not choosers:
        return
    gateways = [(one.namespace, one.labels) for one in declared_gateways(world)]
    places = [*gateways, *_workloads(world)]
    for chooser in choosers:
        if not _is_for_any(ctx, chooser, places):
            meant = _is_meant_for(chooser, gateways)
            ctx.report(
                Problem(
                    severity=Severity.WARNING if meant else Severity.INFO,
                    code="GW-017",
                    resource=chooser.ref,
                    field="spec.selector" if chooser.spec.selector else "metadata.namespace",
                    message="it is for no proxy that is here",
                    hint=f"The gateway beside it has {meant}."
                    if meant
                    else "It holds for proxies of its own namespace (in the root namespace: of all), with the labels that it "
                    "selects.",
                )
            )


def _workloads(world: World) -> Iterator[_Place]:
    yield from ((one.namespace, one.meta.labels) for one in world.pods)
    yield from ((one.namespace, one.meta.labels) for one in templates(world))
    yield from ((one.namespace, {**one.spec.labels, **one.meta.labels}) for one in world.workload_entries)


def _is_meant_for(chooser: _Chooser, gateways: Iterable[_Place]) -> str:
    """The labels of a gateway that a guard is probably meant for: one of its namespace that has labels of the same names;
    "" where there is none. What guards nothing is worth more than a note then."""
    selector: WorkloadSelector | None = chooser.spec.selector
    if not isinstance(chooser, _Guard) or not selector:
        return ""
    for namespace, labels in gateways:
        if namespace == chooser.namespace and selector.match_labels.keys() <= labels.keys():
            return ", ".join(f"{key}={labels[key]}" for key in sorted(selector.match_labels))
    return ""


def _is_for_any(ctx: Context, chooser: _Chooser, places: Iterable[_Place]) -> bool:
    """Targets of the Kubernetes Gateway API are not looked at."""
    if isinstance(chooser, _Guard) and (chooser.spec.target_ref or chooser.spec.target_refs):
        return True
    if not isinstance(chooser, ProxyConfig) and chooser.spec.target_refs:
        return True
    selector: WorkloadSelector | None = chooser.spec.selector
    wanted = selector.match_labels if selector else {}
    # In the root namespace the labels of plugins and guards choose everywhere, those of the others there alone.
    is_root = chooser.namespace == ctx.mesh.root_namespace
    is_everywhere = is_root and (
        not wanted or isinstance(chooser, HTTP3Policy | WasmPlugin | TrafficExtension | _Guard)
    )
    return any(
        (is_everywhere or namespace == chooser.namespace) and fits(wanted, labels)
        for namespace, labels in places
    )
