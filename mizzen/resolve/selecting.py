"""Which labels a selector fits, and which policies are for a proxy."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from mizzen.resolve.context import Context
from mizzen.resources.istio.security import AuthorizationPolicy, Closure, RequestAuthentication

Policy = TypeVar("Policy", AuthorizationPolicy, Closure, RequestAuthentication)


def fits(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Has `labels` everything that is wanted? Nothing wanted fits all."""
    return all(labels.get(key) == value for key, value in wanted.items())


def for_proxy(ctx: Context, policies: Iterable[Policy]) -> Iterator[Policy]:
    """Those of the root namespace, then of the proxy's own, whose selector fits its labels.

    One with a targetRef is for an object of the Kubernetes Gateway API, which is not read.
    """
    listed = tuple(policies)
    for namespace in dict.fromkeys((ctx.mesh.root_namespace, ctx.proxy.namespace)):
        for policy in listed:
            if policy.namespace != namespace or policy.spec.target_ref or policy.spec.target_refs:
                continue
            if fits(policy.spec.selector.match_labels if policy.spec.selector else {}, ctx.proxy.labels):
                yield policy
