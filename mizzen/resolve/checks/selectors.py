"""Gateways that no gateway serves, and what is wrong with a gateway's own configuration."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from mizzen.errors import Problem, Report, Severity
from mizzen.guard import Stage, attempt
from mizzen.resolve.context import Context, step
from mizzen.resolve.gateways.servers import selects
from mizzen.resolve.proxies.declared import declared_gateways, own_config
from mizzen.resolve.proxies.gateways import switches_of
from mizzen.resolve.proxies.workloads import TEMPLATES_ANNOTATION, gateway_workloads
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.kubernetes.ingress import Ingress
from mizzen.resources.world import World

CODES = {"GW-005": "No gateway has the labels that this selector asks for."}

_Labels = Mapping[str, str]
WHAT_MAKES_ONE = (
    "A gateway is made by a Deployment (with its Service) whose Pod template has the annotation "
    f"{TEMPLATES_ANNOTATION}: gateway and these labels, as the chart istio/gateway makes it, or by an entry of "
    "components.ingressGateways of an IstioOperator."
)


@step
def check_gateways(ctx: Context) -> None:
    """Report what no gateway serves, and the faults of this gateway's own configuration."""
    attempt(Stage.RESOLVE, ctx.proxy.origin, partial(_check, ctx), ctx.report, None)


def _check(ctx: Context) -> None:
    scoped = ctx.switches.scope_gateway_to_namespace
    if ctx.proxy.instances:  # any Pod may be a gateway, also one that another replica serves
        pods = [(pod.meta.labels, pod.namespace) for pod in ctx.world.pods]
        hint = f"There is {_shown(ctx.proxy.labels)}."
        for wanted in _unserved(ctx.world, pods, scoped):
            ctx.report(_problem(wanted, hint))
        return
    declared = declared_gateways(ctx.world)
    for gateway in declared:
        if (gateway.name, gateway.namespace) == (ctx.proxy.name, ctx.proxy.namespace):
            for problem in own_config(gateway)[1]:
                ctx.report(problem)
    _report(ctx.world, scoped, ctx.report)


def served_by_nobody(world: World, environment: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is told of Gateways where there is no gateway at all, and so none that could tell it."""
    found: list[Problem] = []
    _report(world, switches_of(world.operators, environment).scope_gateway_to_namespace, found.append)
    return tuple(found)


def _report(world: World, scoped: bool, report: Report) -> None:
    declared = declared_gateways(world)
    there = "; ".join(f"{one.name}.{one.namespace} ({_shown(one.labels)})" for one in declared)
    for wanted in _unserved(world, [(one.labels, one.namespace) for one in declared], scoped):
        begin = f"There is {there}." if there else "There is no gateway."
        report(_problem(wanted, f"{begin} {_missing(world, wanted)}"))


def _unserved(world: World, there: Iterable[tuple[_Labels, str]], scoped: bool) -> Iterator[Gateway]:
    kept = [(dict(labels), namespace) for labels, namespace in there]
    for wanted in world.gateways:
        if not any(selects(wanted, labels, namespace, scoped) for labels, namespace in kept):
            yield wanted


def _problem(wanted: Gateway, hint: str) -> Problem:
    what = f"no gateway has the labels {_shown(wanted.spec.selector)}"
    return Problem(
        severity=Severity.WARNING,
        code="GW-005",
        resource=wanted.ref,
        field="spec.selector",
        message=what if wanted.spec.selector else "there is no gateway to serve it",
        hint=hint,
    )


def _missing(world: World, wanted: Gateway) -> str:
    """What of a gateway with these labels is there, and what makes one."""
    selector = wanted.spec.selector
    if wanted.ref.kind == Ingress.__name__:
        return f"The labels are those of meshConfig.ingressSelector (else ingressService). {WHAT_MAKES_ONE}"
    for workload in gateway_workloads(world):
        if workload.is_off and fits(selector, workload.template.meta.labels):
            return f"{workload.ref}, which has them, is scaled to 0."
    for service in world.services:
        if selector and fits(selector, service.spec.selector):
            return (
                f"{service.ref} leads to Pods with them, but what makes these is not there. {WHAT_MAKES_ONE}"
            )
    return WHAT_MAKES_ONE


def _shown(labels: _Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
