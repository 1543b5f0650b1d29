from mizzen._api import pb
from mizzen.envoy.config import CLUSTERS, EnvoyConfig
from mizzen.run.status import why
from mizzen.xds.refusal import LOST


def test_a_reason_that_envoy_cut_off_is_found_in_what_it_refused() -> None:
    bad = pb.Cluster(name="c", dns_refresh_rate=pb.Duration(nanos=1))
    config = EnvoyConfig(resources={CLUSTERS: {"c": bad}}, origins={})

    assert why(config, CLUSTERS, "c", f"cluster(s) c: {LOST}") == (
        "cluster(s) c: dns_refresh_rate: it must be more than 0.001s"
    )
    assert why(config, CLUSTERS, "c", "too late\nmore") == "too late"
    assert why(config, CLUSTERS, "gone", LOST) == LOST
