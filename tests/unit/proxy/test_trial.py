"""What an Envoy that ended thought of what it was given. That it thinks so is for tests/e2e/test_trial.py."""

import pytest

from mizzen._api import pb
from mizzen.proxy.trial import Outcome, Verdict, trial_bootstrap, verdict
from mizzen.xds.start import deadly_signal

REFUSED = (
    "[2026-11-25 21:52:34.724][25841][critical][main] [source/server/config_validation/server.cc:76] error initializing "
    "configuration '/run/x/.trial-1.pb': missing ): ((\n"
)
DIED = (
    "[2026-11-25 21:58:18.962][28604][critical][backtrace] [./source/server/backtrace.h:157] Backtrace (use tools/x):\n"
    "[2026-11-25 21:58:18.962][28604][critical][main] [source/exe/terminate_handler.cc:36] std::terminate called! See trace.\n"
    "[2026-11-25 21:58:18.986][28604][critical][backtrace] [./source/server/backtrace.h:167] #0: [0x56098a072f6f]\n"
)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (0, "", Verdict(outcome=Outcome.TAKEN)),
        (1, REFUSED, Verdict(outcome=Outcome.REFUSED, why="missing ): ((")),
        (-6, DIED, Verdict(outcome=Outcome.DEADLY, why="SIGABRT: std::terminate called! See trace.")),
        (-11, "", Verdict(outcome=Outcome.DEADLY, why="SIGSEGV")),
        # Somebody, or the kernel, ended it; or its command line made no sense.
        (-9, "", Verdict(outcome=Outcome.UNKNOWN, why="Envoy ended with status -9")),
        (1, "no such option", Verdict(outcome=Outcome.UNKNOWN, why="Envoy ended with status 1")),
    ],
)
def test_how_it_ends_says_what_it_thought(status: int, said: str, expected: Verdict) -> None:
    assert verdict(status, said) == expected


def test_only_faults_of_its_own_are_deadly() -> None:
    found = {number: deadly_signal(-number) for number in range(1, 65) if deadly_signal(-number)}

    assert set(found.values()) == {"SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"}
    assert deadly_signal(None) == deadly_signal(0) == deadly_signal(6) == ""


def test_a_cluster_that_is_in_question_is_there_once() -> None:
    url = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    cluster = pb.Cluster(name="a", alt_stat_name="itself")

    made = trial_bootstrap({(url, "a"): cluster}, ["b", "a", "b"]).static_resources.clusters

    assert [one.name for one in made] == ["xds-grpc", "sds-grpc", "b", "a"]
    assert made[3].alt_stat_name == "itself"


def scope(table: str, domain: str) -> pb.ScopedRouteConfiguration:
    out = pb.ScopedRouteConfiguration(name=f"{table}/{domain}")
    out.route_configuration.name = table
    out.route_configuration.virtual_hosts.add(name="host", domains=[domain])
    return out


def test_hosts_that_are_told_by_themselves_are_tried_in_their_tables() -> None:
    url = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
    told = [scope("a", "x.test"), scope("a", "y.test"), scope("b", "x.test"), scope("a", "x.test")]
    made = trial_bootstrap({(url, str(number)): one for number, one in enumerate(told)})

    found = []
    for listener in made.static_resources.listeners:
        manager = pb.HttpConnectionManager()
        assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
        hosts = manager.route_config.virtual_hosts
        assert len({host.name for host in hosts}) == len(hosts)
        found.append([domain for host in hosts for domain in host.domains])
    assert found == [["x.test", "y.test"], ["x.test"], ["x.test"]]
