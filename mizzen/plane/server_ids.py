"""Envoys of one gateway that a load balancer cannot tell apart by their server ids (QUIC-LB)."""

from collections.abc import Iterator, Mapping

from mizzen.errors import Problem, Severity
from mizzen.http3.server_ids import server_id
from mizzen.model import Model
from mizzen.serve.ads import ClientStatus
from mizzen.xds.node import address_of

CATALOGUE = {
    "QLB-002": "Envoys of one gateway have the same server id; a client that moves may come to another one.",
}


def server_id_problems(model: Model, clients: Mapping[str, ClientStatus]) -> Iterator[Problem]:
    """One for each id that several of `clients` (by what they call themselves) have."""
    ids = next((one.connection_ids for one in model.listeners if one.connection_ids is not None), None)
    if ids is None:
        return
    names: dict[bytes, list[str]] = {}
    for name, client in clients.items():
        own = server_id(client.server_id, address_of(client.node_id), name, ids.server_id_bytes)
        names.setdefault(own, []).append(name)
    for own, sharing in sorted(names.items()):
        if own and len(sharing) > 1:
            yield Problem(
                severity=Severity.WARNING,
                code="QLB-002",
                resource=ids.origin,
                field=f"{ids.at}.serverIdLength",
                message=f"{' and '.join(sorted(sharing))} have the server id {own.hex()}: a balancer cannot tell them apart",
                hint="Give each Pod an annotation mizzen.dev/server-id, or make the ids longer.",
            )
