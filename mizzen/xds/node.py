"""What an Envoy says of itself: which gateway it is, and how it came to be started."""

from mizzen._api import pb
from mizzen.xds.start import DEADLY, SERVER_ID, START, Start

_MOST_DIGITS = 9


def gateway_of(node: pb.Node) -> str:
    """The name under which the snapshots for this node are published.

    Of a node id in Istio's form, `router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc...`,
    the third part; else the node's cluster; else its id as it is.
    """
    parts = node.id.split("~")
    return (parts[2] if len(parts) == 4 else "") or node.cluster or node.id


def start_of(node: pb.Node) -> Start:
    """What a node says of its start; nothing where it is not started by us."""
    said = node.metadata.fields.get(START)
    if said is None or not said.HasField("struct_value"):
        return Start()
    fields = said.struct_value.fields
    number, after = (fields[key].string_value if key in fields else "" for key in ("NUMBER", "AFTER"))
    is_number = number.isdecimal() and len(number) <= _MOST_DIGITS
    return Start(int(number) if is_number else 0, after if after in DEADLY else "")


def address_of(node_id: str) -> str:
    """The address in a node id of Istio's form, "" in another."""
    parts = node_id.split("~")
    return parts[1] if len(parts) == 4 else ""


def server_id_of(node: pb.Node) -> str:
    """The server id (QUIC-LB) that somebody wrote for it; "" when it is derived."""
    said = node.metadata.fields.get(SERVER_ID)
    return said.string_value if said is not None else ""
