"""Which gateway an Envoy says it is."""

from mizzen._api import pb


def gateway_of(node: pb.Node) -> str:
    """The name under which the snapshots for this node are published.

    Of a node id in Istio's form, `router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc...`,
    the third part; else the node's cluster; else its id as it is.
    """
    parts = node.id.split("~")
    return (parts[2] if len(parts) == 4 else "") or node.cluster or node.id
