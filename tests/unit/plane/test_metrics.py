"""What Prometheus is told of announcements."""

from types import SimpleNamespace
from typing import Any

from mizzen.plane.metrics import metrics
from tests.unit.plane.harness import BAD, GATEWAY, START, Plane, https


def samples(plane: Plane) -> dict[str, float]:
    stands_for: Any = SimpleNamespace(
        state=plane.state,
        result=SimpleNamespace(world=SimpleNamespace(services=())),
        generation=1,
        problems=lambda: (),
        mesh=SimpleNamespace(roots=SimpleNamespace(active=SimpleNamespace(ends=START))),
    )
    lines = metrics(stands_for).splitlines()
    heads = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))  # samples of one name stand together
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def test_the_life_of_each_announcement_is_told() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    of = f'gateway="{GATEWAY}",server="https.443.https.shop.istio-system"'
    told = samples(plane)
    assert told[f'mizzen_http3_phase{{{of},phase="withheld"}}'] == 1
    assert (told[f"mizzen_http3_stage{{{of}}}"], told[f"mizzen_http3_max_age_seconds{{{of}}}"]) == (0, 0)
    assert told[f"mizzen_http3_promised_until_timestamp{{{of}}}"] == 0

    plane.prove()
    told = samples(plane)
    assert told[f'mizzen_http3_phase{{{of},phase="announced"}}'] == 1
    assert told[f'mizzen_http3_phase{{{of},phase="withheld"}}'] == 0
    assert (told[f"mizzen_http3_stage{{{of}}}"], told[f"mizzen_http3_max_age_seconds{{{of}}}"]) == (1, 86400)
    until = plane.state.server(GATEWAY, "alt-svc/https.443.https.shop.istio-system").promised_until
    assert until is not None
    assert told[f"mizzen_http3_promised_until_timestamp{{{of}}}"] == until.timestamp()
    assert told['mizzen_http3_servers{state="announced"}'] == 1

    plane.wait(31, BAD)
    told = samples(plane)
    assert told[f'mizzen_http3_phase{{{of},phase="withdrawn"}}'] == 1
    assert told[f"mizzen_http3_stage{{{of}}}"] == 0
    assert told[f"mizzen_http3_promised_until_timestamp{{{of}}}"] == until.timestamp()
