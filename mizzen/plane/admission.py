"""Which proxies a control plane on the network serves, and as what. Pure."""

from collections.abc import Mapping

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.lazy import dataclass
from mizzen.plane.registration import Unfit, registered
from mizzen.resources.kubernetes.core import Pod
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.world import World
from mizzen.xds.node import gateway_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done about a proxy that has come."""

    refusal: str = ""  # why it is not served
    sidecar: str = ""  # "namespace/name" of the workload whose sidecar it is, which is not served yet
    router: str = ""  # the Pod ("namespace/name") that is a gateway
    said: tuple[RawObject, ...] = ()  # what a workload that no object names says of itself


def judge(world: World, served: Mapping[str, str], node: pb.Node, identity: Identity) -> Verdict:
    """`served`: the SPIFFE names of the proxies that are served, by what they call themselves."""
    proxy = gateway_of(node)
    if proxy in served:
        return Verdict() if served[proxy] == identity.uri else Verdict(refusal=f"{proxy} is {served[proxy]}")
    name, _, namespace = proxy.rpartition(".")
    workload = world.workload_entry_by_key.get((namespace, name))
    if workload is not None:
        account = workload.spec.service_account or "default"
        if not _is(identity, namespace, account):
            return Verdict(refusal=f"the WorkloadEntry {namespace}/{name} is not of {identity}")
        return Verdict(sidecar=f"{namespace}/{name}")
    pod = world.pod_by_key.get((namespace, name))
    if pod is not None:
        return _of_pod(pod, node, identity)
    try:
        said = registered(node, name, identity) if namespace == identity.namespace else ()
    except Unfit as error:
        return Verdict(refusal=str(error))
    if said:
        return Verdict(sidecar=f"{namespace}/{name}", said=said)
    return Verdict(refusal=f"there is neither a gateway, a Pod nor a WorkloadEntry called {proxy}")


def _of_pod(pod: Pod, node: pb.Node, identity: Identity) -> Verdict:
    if not _is(identity, pod.namespace, pod.spec.service_account_name or "default"):
        return Verdict(refusal=f"the Pod {pod.namespace}/{pod.name} is not of {identity}")
    key = f"{pod.namespace}/{pod.name}"
    return Verdict(router=key) if node.id.startswith("router~") else Verdict(sidecar=key)


def _is(identity: Identity, namespace: str, account: str) -> bool:
    return (namespace, account) == (identity.namespace, identity.service_account)
