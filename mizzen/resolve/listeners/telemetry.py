"""Which Telemetry objects are for a proxy, from the mesh's to its own."""

from typing import Literal

from mizzen.errors import Problem, Severity
from mizzen.resolve.context import Context, step
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.telemetry import ModeSelector, Telemetry

CODES = {"TEL-001": "Of several Telemetries for the same proxies, one takes no part."}

# As what a proxy meets traffic. Gateways are clients of what they lead to.
Mode = Literal["CLIENT", "SERVER"]
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


@step
def telemetries(ctx: Context) -> tuple[Telemetry, ...]:
    """That of the root namespace, that of the proxy's, and that of the proxy itself: what the later say counts.

    Of each rank the oldest takes part; the others are told (Istio: Telemetries.applicableTelemetries; IST0159, IST0160).
    """
    root, own = ctx.mesh.root_namespace, ctx.proxy.namespace
    everywhere = [one for one in ctx.world.telemetries if one.namespace == root and _is_wide(one)]
    wide = [one for one in ctx.world.telemetries if one.namespace == own != root and _is_wide(one)]
    selected = [one for one in ctx.world.telemetries if one.namespace == own and _selects(ctx, one)]
    for rank in (everywhere, wide, selected):
        for other in rank[1:]:
            _report_other(ctx, rank[0], other)
    return tuple(rank[0] for rank in (everywhere, wide, selected) if rank)


def matches(match: ModeSelector | None, mode: Mode) -> bool:
    return match is None or match.mode in ("CLIENT_AND_SERVER", mode)


def _is_wide(telemetry: Telemetry) -> bool:
    spec = telemetry.spec
    has_labels = spec.selector is not None and spec.selector.match_labels
    return not (has_labels or spec.target_ref or spec.target_refs)


def _selects(ctx: Context, telemetry: Telemetry) -> bool:
    """By the proxy's labels, or by the Gateway of the Kubernetes Gateway API that it runs for."""
    spec = telemetry.spec
    refs = (*spec.target_refs, *((spec.target_ref,) if spec.target_ref else ()))
    if refs:
        name = ctx.proxy.labels.get(_GATEWAY_NAME, "")
        return bool(name) and any(ref.kind == "Gateway" and ref.name == name for ref in refs)
    return not _is_wide(telemetry) and fits(
        telemetry.spec.selector.match_labels if telemetry.spec.selector else {}, ctx.proxy.labels
    )


def _report_other(ctx: Context, first: Telemetry, other: Telemetry) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="TEL-001",
            resource=other.ref,
            field="spec" if _is_wide(other) else "spec.selector",
            message=f"it takes no part: {first.ref} is for the same proxies, and older or first by name",
            hint="Put everything into one object for each namespace, or for each selection of proxies.",
        )
    )
