"""CLUSTER: one cluster. Endpoints are resources of their own, which no patch is for."""

from mizzen._api import pb
from mizzen.messages.merging import merge_packed
from mizzen.model.patch import Operation, Patch
from mizzen.patch import matching
from mizzen.patch.prepared import Work, is_for_side, value_of


def patch_cluster(one: pb.Cluster, name: str, work: Work) -> bool:
    """Patch a cluster in its place; False where it is removed."""
    inbound = name.startswith("inbound|")
    for patch in work.patches:
        if patch.operation is Operation.ADD or not is_for_side(patch, inbound=inbound):
            continue
        if not matching.cluster(patch.cluster, name):
            continue
        work.hits.add(patch)
        if patch.operation is Operation.REMOVE:
            return False
        if not _merge_transport_socket(one, patch, work):
            work.merge(one, patch)
    return True


def _merge_transport_socket(one: pb.Cluster, patch: Patch, work: Work) -> bool:
    """A transport socket is merged into that of its name, else it takes the place of the one there; then nothing else of the patch
    counts, as in Istio. False where the patch has none."""
    value: pb.Cluster = value_of(patch)
    if not value.HasField("transport_socket"):
        return False
    given = value.transport_socket
    matches = [match.transport_socket for match in one.transport_socket_matches]
    of_name = [held for held in matches or [one.transport_socket] if held.name == given.name]
    if of_name:
        try:
            merge_packed(of_name[0].typed_config, given.typed_config)
        except ValueError as error:
            work.failed[patch] = str(error)
    elif not matches:
        one.transport_socket.CopyFrom(given)
    return True
