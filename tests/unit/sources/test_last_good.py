"""What stays in force after a bad edit, also when the control plane starts anew."""

import json
import os
from pathlib import Path

import pytest

from mizzen.errors import Problem
from mizzen.node import private_file
from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import RawObject
from mizzen.sources import state_file
from mizzen.sources.files import Files
from mizzen.sources.last_good import Admitted, LastGood
from mizzen.sources.state_file import StateFile

GOOD = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: shop
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: 80
      name: http
      protocol: HTTP
    hosts:
    - "*"
"""
BAD = GOOD.replace("number: 80", "number: eighty")
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\ndata:\n  tls.key: aGVsbG8=\n"


def errors(raw: RawObject) -> tuple[Problem, ...]:
    return decode(raw, "default").problems


class Instance:
    """A folder with YAML, and control planes that follow one another."""

    def __init__(self, tmp_path: Path) -> None:
        self.yaml, self.run_dir = tmp_path / "yaml", tmp_path / "run"
        self.yaml.mkdir()
        self.run_dir.mkdir()
        self.kept = self.run_dir / "last-good.json"
        self.write(GOOD)
        self.starts()

    def write(self, text: str) -> None:
        (self.yaml / "gateway.yaml").write_text(text)

    def starts(self) -> Admitted:
        self.last_good = LastGood(errors, StateFile(self.kept, private_file.write))
        return self.follows()

    def follows(self) -> Admitted:
        return self.last_good.admit(Files((str(self.yaml),)).listing())


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


def held(admitted: Admitted) -> list[tuple[str, str]]:
    return [(raw.name, str(raw.data.get("spec", {}).get("servers"))[:24]) for raw in admitted.objects]


def codes(admitted: Admitted) -> list[str]:
    return [problem.code for problem in admitted.problems]


@pytest.mark.parametrize("bad", [BAD, GOOD.replace("selector:", "selector: ]"), "nothing: [\n"])
def test_an_object_that_went_bad_before_a_restart_stays(instance: Instance, bad: str) -> None:
    good = held(instance.follows())
    instance.write(bad)

    assert held(instance.follows()) == good
    assert held(instance.starts()) == good
    assert held(instance.starts()) == good  # and after the next one
    assert instance.follows().objects[0].ref.place("spec.servers[0]").line == 9


def test_what_is_kept_is_for_its_owner_alone_and_gone_when_the_edit_is_mended(instance: Instance) -> None:
    assert not instance.kept.exists()
    instance.write(BAD)
    instance.follows()
    assert instance.kept.stat().st_mode & 0o777 == 0o600
    instance.write(GOOD)
    instance.follows()

    assert json.loads(instance.kept.read_bytes()) == {"objects": []}


def test_what_was_removed_meanwhile_does_not_come_back(instance: Instance) -> None:
    instance.write(BAD)
    instance.follows()
    instance.write(GOOD.replace("name: shop", "name: other"))

    assert [name for name, _ in held(instance.starts())] == ["other"]
    assert json.loads(instance.kept.read_bytes()) == {"objects": []}


def test_what_lies_in_an_unreadable_folder_stays(instance: Instance) -> None:
    listing = Files((str(instance.yaml),)).listing()
    assert instance.last_good.admit(listing).objects
    away = instance.yaml.rename(instance.yaml.with_name("away"))
    instance.yaml.symlink_to(instance.yaml)  # ELOOP: also for root
    unread = Files((str(instance.yaml),)).listing()
    instance.last_good.admit(
        type(listing)(
            objects=listing.objects, problems=unread.problems, files=(), unreadable=unread.unreadable
        )
    )

    assert [name for name, _ in held(instance.starts())] == ["shop"]
    instance.yaml.unlink()
    away.rename(instance.yaml)


def test_what_went_bad_before_its_folder_became_unreadable_stays(instance: Instance) -> None:
    files = Files((str(instance.yaml),))
    good = held(instance.last_good.admit(files.listing()))
    instance.write(BAD)
    assert held(instance.last_good.admit(files.listing())) == good
    away = instance.yaml.rename(instance.yaml.with_name("away"))
    instance.yaml.symlink_to(instance.yaml)
    instance.last_good.admit(files.listing())
    instance.yaml.unlink()
    away.rename(instance.yaml)

    assert held(instance.starts()) == good


def test_secrets_never_touch_the_disk(instance: Instance) -> None:
    instance.write(f"{GOOD}---\n{SECRET}")
    instance.follows()
    instance.write(f"{BAD}---\n" + SECRET.replace("aGVsbG8=", "[]"))

    assert len(instance.follows().objects) == 2
    assert b"aGVsbG8" not in b"".join(path.read_bytes() for path in instance.run_dir.iterdir())
    assert [raw.name for raw in instance.starts().objects if not errors(raw)] == ["shop"]


SECRET_KEPT = {
    "kind": "Secret",
    "apiVersion": "v1",
    "namespace": "",
    "name": "key",
    "file": "f",
    "places": {},
    "data": {},
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"objects": [1]}',
        b'{"objects": {}}',
        b"[" * 5000,
        b'{"objects": [{"kind": 3}]}',
        json.dumps({"objects": [SECRET_KEPT]}).encode(),
        b"x" * 2000,
    ],
)
def test_what_cannot_be_used_is_ignored_and_said(
    instance: Instance, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "LARGEST", 1500)
    instance.kept.write_bytes(content)

    admitted = instance.starts()
    assert held(admitted)
    assert codes(admitted) == ([] if content == b'{"objects": {}}' else ["FILE-004"])


def test_what_is_kept_is_judged_like_anything_else(instance: Instance) -> None:
    instance.write(BAD)
    instance.follows()
    kept = json.loads(instance.kept.read_bytes())
    kept["objects"][0]["data"]["spec"]["servers"] = "none"
    instance.kept.write_text(json.dumps(kept))

    assert all(errors(raw) for raw in instance.starts().objects)


def test_a_disk_that_takes_nothing_is_said_and_costs_nothing_else(instance: Instance) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, os.strerror(28))

    good = held(instance.follows())
    instance.last_good.kept = StateFile(instance.kept, full)
    instance.write(BAD)

    assert held(instance.follows()) == good
    assert "FILE-004" in codes(instance.follows())
    instance.last_good.kept.write = private_file.write
    assert "FILE-004" not in codes(instance.follows())


OTHERS = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: shop\nspec: {}\n"


def api_versions(admitted: Admitted) -> list[str]:
    return sorted(raw.api_version for raw in admitted.objects)


@pytest.mark.parametrize("edit", [BAD, GOOD.replace("spec:", "spec: ]"), GOOD.replace("apiVersion:", "#")])
def test_an_object_of_another_group_takes_no_place_of_a_good_one(tmp_path: Path, edit: str) -> None:
    instance = Instance(tmp_path)
    (instance.yaml / "others.yaml").write_text(OTHERS)
    instance.follows()
    instance.write(edit)
    versions = ["gateway.networking.k8s.io/v1", "networking.istio.io/v1"]
    assert api_versions(instance.follows()) == versions
    assert api_versions(instance.starts()) == versions
