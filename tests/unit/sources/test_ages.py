"""Who was there first keeps what it has, also over a restart."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mizzen.node import private_file
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents
from mizzen.sources import ages
from mizzen.sources.ages import Age, Ages
from mizzen.sources.files import Files
from mizzen.sources.listing import Difference
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import key_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def gateway(namespace: str, name: str, created: str = "") -> str:
    written = f"\n  creationTimestamp: {created}" if created else ""
    return f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: {name}
  namespace: {namespace}{written}
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: 443
      name: tls
      protocol: TLS
    hosts:
    - shop.test
    tls:
      mode: PASSTHROUGH
"""


class Instance:
    """Control planes that follow one another on one folder and one run-dir."""

    def __init__(self, tmp_path: Path) -> None:
        self.yaml, self.run_dir = tmp_path / "yaml", tmp_path / "run"
        self.yaml.mkdir()
        self.run_dir.mkdir()
        self.now, self.seconds = START, 0.0
        self.starts()

    def starts(self) -> None:
        remembered = Ages(StateFile(self.run_dir / "ages.json", private_file.write))
        self.files = Files(
            (str(self.yaml),), ages=remembered, now=lambda: self.now, clock=lambda: self.seconds
        )

    def owner(self) -> str:
        """Whose the host is, once everything has settled."""
        for _ in range(2):
            listing = self.files.listing()
            self.seconds += 60
            self.now += timedelta(minutes=1)
        found = build(listing.objects, listing.problems, Settings())
        lost = {one.resource.name for one in found.problems if one.code == "GW-002"}
        return " ".join(sorted(one.meta.name for one in found.world.gateways if one.meta.name not in lost))

    def write(self, name: str, text: str) -> None:
        (self.yaml / f"{name}.yaml").write_text(text)


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


def test_what_was_there_from_the_beginning_is_equally_old(instance: Instance) -> None:
    instance.write("z", gateway("default", "gw"))
    instance.write("a", gateway("tenant", "aa"))

    assert instance.owner() == "aa"


@pytest.mark.parametrize("created", ["", "1999-01-01T00:00:00Z"])
def test_a_newcomer_takes_no_host_of_who_was_there_first(instance: Instance, created: str) -> None:
    instance.write("z", gateway("default", "gw"))
    assert instance.owner() == "gw"
    instance.write("a", gateway("tenant", "aa", created))
    assert instance.owner() == "gw"
    instance.starts()
    assert instance.owner() == "gw"
    instance.write("0", gateway("other", "a0"))  # one that came while nobody looked
    instance.starts()
    assert instance.owner() == "gw"
    (instance.yaml / "z.yaml").unlink()
    assert instance.owner() == "aa"


def test_an_edit_and_a_move_make_nobody_younger_or_older(instance: Instance) -> None:
    instance.write("z", gateway("default", "gw"))
    assert instance.owner() == "gw"
    instance.write("a", gateway("tenant", "aa"))
    assert instance.owner() == "gw"
    instance.write("a", gateway("tenant", "aa", "1999-01-01T00:00:00Z"))
    (instance.yaml / "z.yaml").rename(instance.yaml / "moved.yaml")
    assert instance.owner() == "gw"
    instance.write("moved", gateway("default", "gw").replace("spec:", "spec: ]"))
    assert instance.owner() == "aa"  # without the memory of the last good version
    instance.write("moved", gateway("default", "gw"))
    assert instance.owner() == "gw"


def test_who_comes_back_is_new(instance: Instance) -> None:
    instance.write("z", gateway("default", "gw"))
    assert instance.owner() == "gw"
    (instance.yaml / "z.yaml").unlink()
    instance.write("a", gateway("tenant", "aa"))
    assert instance.owner() == "aa"
    instance.write("z", gateway("default", "gw"))
    assert instance.owner() == "aa"


def test_times_that_are_written_count_where_nothing_else_is_known(instance: Instance) -> None:
    instance.write("z", gateway("default", "gw", "2001-01-01T00:00:00Z"))
    instance.write("a", gateway("tenant", "aa", "2002-01-01T00:00:00Z"))

    assert instance.owner() == "gw"


@pytest.mark.parametrize(
    "content", ["", '{"first_seen": [["Gateway", "a", "b", 3, "f"]]}', '{"first_seen": 3}']
)
def test_what_cannot_be_used_is_ignored_and_said(instance: Instance, content: str) -> None:
    instance.write("z", gateway("default", "gw"))
    (instance.run_dir / "ages.json").write_text(content)
    instance.starts()

    assert [problem.code for problem in instance.files.listing().problems] == ["FILE-004"]
    assert instance.owner() == "gw"


def test_an_object_of_another_group_is_not_as_old_as_ours(instance: Instance) -> None:
    others = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: aa, namespace: tenant}\n"
    )
    instance.write("z", gateway("default", "gw"))
    instance.write("others", others)
    assert instance.owner() == "gw"
    instance.write("a", gateway("tenant", "aa"))
    assert instance.owner() == "gw"


def test_ages_that_were_written_without_a_group_still_count(instance: Instance) -> None:
    written = {"first_seen": [["Gateway", "default", "gw", "2025-01-01T00:00:00+00:00", "z.yaml"]]}
    (instance.run_dir / "ages.json").write_text(json.dumps(written))
    instance.starts()
    instance.write("z", gateway("default", "gw"))
    instance.write("a", gateway("tenant", "aa"))
    assert instance.owner() == "gw"


def test_what_many_objects_make_is_written_down_by_the_side(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ages, "_KEPT_AT_ONCE", 0)
    kept = instance.run_dir / "ages.json"
    instance.write("z", gateway("default", "gw"))
    instance.files.listing()
    assert not kept.exists()

    async def follow() -> None:
        changes = instance.files.changes()
        waiting = asyncio.ensure_future(anext(changes))
        async with asyncio.timeout(5):
            while not kept.exists():
                await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await changes.aclose()  # type: ignore[attr-defined]

    asyncio.run(follow())
    assert [row[2] for row in json.loads(kept.read_bytes())["first_seen"]] == ["gw"]


def test_an_object_that_has_not_changed_is_stamped_once(tmp_path: Path) -> None:
    raw, *_ = parse_documents(gateway("shop", "shop").encode(), "a.yaml")[0]
    known = {key_of(raw): Age(str(START), "")}
    remembered = Ages(StateFile(tmp_path / "ages.json", private_file.write), known)

    stamped = remembered.follow(Difference(added=(raw,)), lambda _: False, START)

    assert stamped[id(raw)].data["metadata"]["creationTimestamp"] == str(START)
    assert remembered.follow(Difference(), lambda _: False, START) == {}
