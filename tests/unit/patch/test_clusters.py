"""Clusters are merged, added and removed."""

from mizzen._api import pb
from mizzen.envoy.config import CLUSTERS, ENDPOINTS
from tests.harness.patched_site import cluster, patched

NAME = "outbound|80||one.test"


def test_a_cluster_is_merged_by_its_parts() -> None:
    made = patched(
        """
        - applyTo: CLUSTER
          match: {context: GATEWAY, cluster: {service: one.test, portNumber: 80}}
          patch: {operation: MERGE, value: {circuit_breakers: {thresholds: [{max_requests: 7}]}}}
        - applyTo: CLUSTER
          match: {context: GATEWAY, cluster: {service: other.test}}
          patch: {operation: MERGE, value: {alt_stat_name: other}}
        """
    )

    assert 7 in [one.max_requests.value for one in cluster(made, NAME).circuit_breakers.thresholds]
    assert not any(cluster(made, name).alt_stat_name == "other" for name in made.bodies[CLUSTERS])


def test_a_list_may_take_the_place_of_the_one_there() -> None:
    made = patched(
        """
        - applyTo: CLUSTER
          match: {cluster: {service: one.test}}
          patch: {operation: MERGE_AND_REPLACE_LIST, value: {circuit_breakers: {thresholds: [{max_requests: 7}]}}}
        """
    )

    (threshold,) = cluster(made, NAME).circuit_breakers.thresholds
    assert threshold.max_requests.value == 7


def test_a_cluster_is_removed_with_its_endpoints() -> None:
    made = patched("- {applyTo: CLUSTER, match: {cluster: {service: one.test}}, patch: {operation: REMOVE}}")

    assert NAME not in made.bodies[CLUSTERS]
    assert not list(made.bodies[ENDPOINTS])


def test_a_cluster_is_added_once() -> None:
    made = patched(
        """
        - {applyTo: CLUSTER, patch: {operation: ADD, value: {name: added, connect_timeout: 1s}}}
        - {applyTo: CLUSTER, patch: {operation: ADD, value: {name: added, connect_timeout: 2s}}}
        - {applyTo: CLUSTER, match: {cluster: {name: added}}, patch: {operation: MERGE, value: {connect_timeout: 3s}}}
        """
    )

    assert cluster(made, "added") == pb.Cluster(name="added", connect_timeout=pb.Duration(seconds=1))
    assert "there is a CLUSTER of the name 'added' already" in " ".join(one.message for one in made.problems)


def test_a_transport_socket_takes_the_place_of_none_or_is_merged_and_then_nothing_else_counts() -> None:
    patch = """
    - applyTo: CLUSTER
      match: {cluster: {service: one.test}}
      patch:
        operation: MERGE
        value:
          alt_stat_name: not looked at
          transport_socket:
            name: envoy.transport_sockets.tls
            typed_config: {'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, sni: SNI}
    """
    once = cluster(patched(patch.replace("SNI", "one")), NAME)
    twice = cluster(
        patched(patch.replace("SNI", "one") + patch.replace("sni: SNI", "max_session_keys: 3")), NAME
    )

    assert once.alt_stat_name != "not looked at"
    assert pb.UpstreamTlsContext.FromString(once.transport_socket.typed_config.value).sni == "one"
    merged = pb.UpstreamTlsContext.FromString(twice.transport_socket.typed_config.value)
    assert (merged.sni, merged.max_session_keys.value) == ("one", 3)
