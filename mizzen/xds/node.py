"""What an Envoy says of itself: which gateway it is, and how it came to be started."""

from mizzen._api import pb
from mizzen.xds.start import DEADLY, START, Start

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
