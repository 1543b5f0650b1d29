"""Where a backend's requests may go."""

from dataclasses import replace

from mizzen._api import pb
from mizzen.envoy.parts import address, uint32
from mizzen.model.backend import Backend, Endpoint, EndpointGroup, Health

_HEALTH = {
    Health.UNKNOWN: pb.HealthStatus.UNKNOWN,
    Health.HEALTHY: pb.HealthStatus.HEALTHY,
    Health.UNHEALTHY: pb.HealthStatus.UNHEALTHY,
    Health.DRAINING: pb.HealthStatus.DRAINING,
}


# What marks an endpoint that speaks the mesh's mutual TLS, and the socket for it (Istio's words).
MESH_MATCH = pb.Struct(fields={"tlsMode": pb.Value(string_value="istio")})


# Of all endpoints of a locality, and all localities of a priority, together; Envoy refuses more.
_MOST_WEIGHT = 2**32 - 1


def cluster_load_assignment(backend: Backend) -> pb.ClusterLoadAssignment:
    """All endpoints of a backend; none is an answer too."""
    return pb.ClusterLoadAssignment(
        cluster_name=backend.endpoints_name,
        endpoints=[locality_lb_endpoints(group) for group in _weighed(backend.groups)],
    )


def _weighed(groups: tuple[EndpointGroup, ...]) -> tuple[EndpointGroup, ...]:
    """The same weights; smaller ones that compare alike where Envoy could not add them up."""
    whole = sum(one.weight for group in groups for one in group.endpoints)
    if whole <= _MOST_WEIGHT:
        return groups

    def smaller(one: Endpoint) -> Endpoint:
        return replace(one, weight=max(1, one.weight * (_MOST_WEIGHT // 2) // whole))

    return tuple(replace(group, endpoints=tuple(map(smaller, group.endpoints))) for group in groups)


def locality_lb_endpoints(group: EndpointGroup) -> pb.LocalityLbEndpoints:
    out = pb.LocalityLbEndpoints(
        locality=pb.Locality(region=group.region, zone=group.zone, sub_zone=group.subzone),
        lb_endpoints=[lb_endpoint(endpoint) for endpoint in group.endpoints],
        priority=group.priority,
    )
    weight = sum(one.weight for one in group.endpoints) if group.weight is None else group.weight
    if weight:  # Envoy refuses a written zero, and reads an absent one as zero
        out.load_balancing_weight.value = weight
    return out


def lb_endpoint(endpoint: Endpoint) -> pb.LbEndpoint:
    where = address(endpoint.address, endpoint.port, pb.SocketAddress.TCP)
    out = pb.LbEndpoint(
        endpoint=pb.Endpoint(address=where),
        health_status=_HEALTH[endpoint.health],
        load_balancing_weight=uint32(endpoint.weight),
    )
    for more in endpoint.also:
        out.endpoint.additional_addresses.add(address=address(more, endpoint.port, pb.SocketAddress.TCP))
    if endpoint.mesh:
        out.metadata.filter_metadata["envoy.transport_socket_match"].CopyFrom(MESH_MATCH)
    return out
