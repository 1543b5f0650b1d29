"""What judges the requests of a proxy: its RequestAuthentications and AuthorizationPolicies."""

from mizzen.model.listener import AccessPolicies, HeaderLimits
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.access.plugins import plugins
from mizzen.resolve.access.tokens import token_rules
from mizzen.resolve.context import Context, step


@step
def access_policies(ctx: Context) -> AccessPolicies:
    """The same for every HTTP connection of the proxy; with neither, nobody is refused."""
    return AccessPolicies(
        tokens=token_rules(ctx),
        access=authorization(ctx, http=True),
        plugins=plugins(ctx).plugins,
        judges_hosts=ctx.switches.header_limits is HeaderLimits.CODEC,
        origin=ctx.proxy.origin,
    )


def chooses_again(policies: AccessPolicies) -> bool:
    """May a request have another route behind them than before?"""
    return bool(policies.tokens or policies.plugins) or any(
        access.authorizer is not None and access.authorizer.chooses_routes for access in policies.access
    )
