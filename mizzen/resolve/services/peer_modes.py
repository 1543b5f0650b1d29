"""PeerAuthentication: whether a workload takes the mesh's mutual TLS, plain connections, or both."""

from collections.abc import Iterable, Mapping

from mizzen.resolve.context import Context
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.security import PeerAuthentication, PeerAuthenticationSpec

PERMISSIVE = "PERMISSIVE"


def peer_mode(ctx: Context, namespace: str, labels: Mapping[str, str], port: int) -> str:
    """ "STRICT", "PERMISSIVE" or "DISABLE" for a port of a workload.

    The port's own setting, then the workload's, the namespace's, the mesh's (of the root namespace); without
    any it is permissive. Of several of one rank the oldest counts.
    """
    policies = ctx.world.peer_authentications
    root = ctx.mesh.root_namespace
    own = [one for one in policies if one.namespace == namespace]
    selected = [one for one in own if _selector(one) and fits(_selector(one), labels)]
    for one in selected:
        wanted = one.spec.port_level_mtls.get(str(port))
        if wanted is not None and wanted.mode != "UNSET":
            return wanted.mode
    wide = [one for one in own if not _selector(one)]
    mesh = [one for one in policies if one.namespace == root and not _selector(one)]
    for rank in (selected, wide, mesh):
        mode = _first(one.spec for one in rank[:1])
        if mode:
            return mode
    return PERMISSIVE


def _selector(policy: PeerAuthentication) -> Mapping[str, str]:
    return policy.spec.selector.match_labels if policy.spec.selector else {}


def _first(specs: Iterable[PeerAuthenticationSpec]) -> str:
    return next((spec.mtls.mode for spec in specs if spec.mtls and spec.mtls.mode != "UNSET"), "")
