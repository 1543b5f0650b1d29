"""Routes that go by claims of tokens where nobody reads tokens (istioctl's message IST0149)."""

from collections.abc import Iterator

from mizzen.errors import Problem
from mizzen.resolve import with_errors
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.formats.checks import claim_path
from mizzen.resources.istio.security import RequestAuthentication
from mizzen.resources.istio.virtual_service import VirtualService

CODES = {
    "JWT-003": "A rule goes by a claim of a token, and no RequestAuthentication reads tokens.",
}


def check_claims(ctx: Context, service: VirtualService) -> None:
    """Report the rules of a VirtualService that this gateway serves by claims that nobody reads."""
    fields = tuple(_by_claims(service))
    if not fields or any(for_proxy(ctx, ctx.world.request_authentications)):
        return
    if meant := next(iter(ctx.world.refused_of(RequestAuthentication.__name__)), None):
        ctx.report(with_errors.problem(service.ref, fields[0][0], meant))
        return
    for field, name, inverted in fields:
        becomes = "it holds for every request" if inverted else "it never holds"
        ctx.report(
            Problem(
                code="JWT-003",
                resource=service.ref,
                field=field,
                message=f"no RequestAuthentication at {ctx.proxy.called} reads tokens, so there is no {name}: {becomes}",
                hint="Add a RequestAuthentication that selects the gateway, in its namespace or the root namespace.",
            )
        )


def _by_claims(service: VirtualService) -> Iterator[tuple[str, str, bool]]:
    """(field, name of the claim, does a request match that is without it) of each match."""
    for route in service.spec.http:
        for match in route.match:
            for key, texts in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
                for name in texts:
                    if claim_path(name) is not None:
                        yield f"{match.at}.{key}", name, key == "withoutHeaders"
