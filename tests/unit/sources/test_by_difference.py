"""What is remembered from step to step equals what the plain rules make of everything, whatever happens to files."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from mizzen.errors import Problem, ResourceRef
from mizzen.node import private_file
from mizzen.resources.raw_objects import RawObject
from mizzen.sources import reading
from mizzen.sources.ages import Ages
from mizzen.sources.files import Files
from mizzen.sources.last_good import LastGood
from mizzen.sources.listing import Listing
from mizzen.sources.reading import Reader, Seen, Text
from mizzen.sources.settling import Belief, Settling
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import key_of
from tests.unit.sources.plain_rules import PlainBelief, PlainLastGood, PlainSettling

NAMES = ("a", "b", "c", "d")
SEEDS, STEPS = 30, 25
PAUSES = (0.0, 0.1, 0.3, 1.0, 2.0, 5.0)
FILES = ("x", "y", "z", "sub/x", "sub/y")


def document(name: str, ports: int) -> str:
    rows = "".join(f"  - port: {port}\n" for port in range(1, ports + 1))
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n{rows}"


def text_of(random: Random) -> str:
    """A few documents; some cannot be parsed."""
    documents = []
    for _ in range(random.randrange(4)):
        name = random.choice(NAMES)
        broken = document(name, 1).replace("ports:", "ports: ]")
        documents.append(
            random.choice((document(name, random.randint(1, 4)), document(name, 2), broken, "- [\n"))
        )
    return "---\n".join(documents)


def edit_of(random: Random) -> tuple[str, str, str]:
    what = random.choice(
        ("write", "write", "replace", "replace", "truncate", "delete", "rename", "link", "deny", "folder")
    )
    if what in ("deny", "folder"):
        return what, random.choice(("sub", ".", *(f"{name}.yaml" for name in FILES if what == "deny"))), ""
    return what, random.choice(FILES), random.choice(FILES) if what == "rename" else text_of(random)


def wrong_with(raw: RawObject) -> tuple[Problem, ...]:
    """An object with three ports is bad."""
    spec = raw.data.get("spec")
    ports = spec.get("ports") if isinstance(spec, dict) else None
    if not isinstance(ports, list) or len(ports) != 3:
        return ()
    ref = ResourceRef(kind=raw.kind, namespace=raw.namespace, name=raw.name)
    return (Problem(code="T-001", resource=ref, message=f"bad: {raw.digest}"),)


@dataclass(slots=True)
class Disk:
    """A folder in which things happen. Root may read everything, so what is denied is denied here."""

    root: Path
    denied: set[str] = field(default_factory=set)
    links: int = 0

    @property
    def folder(self) -> Path:
        return self.root / "d"

    def edit(self, what: str, name: str, more: str) -> None:
        path = self.folder / (
            name if what in ("folder", "deny") else f"{name}.yaml"
        )  # "." is the folder itself
        with contextlib.suppress(
            FileNotFoundError, NotADirectoryError, FileExistsError
        ):  # its folder is away
            getattr(self, f"_{what}")(path, more)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)

    def _truncate(self, path: Path, text: str) -> None:
        whole = path.read_text()
        path.write_text(whole[: len(text) % (len(whole) + 1)])

    def _replace(self, path: Path, text: str) -> None:
        (self.root / "beside").write_text(text)
        (self.root / "beside").replace(path)

    def _delete(self, path: Path, _: str) -> None:
        path.unlink()

    def _rename(self, path: Path, other: str) -> None:
        path.rename(self.folder / f"{other}.yaml")

    def _link(self, path: Path, text: str) -> None:
        """As Kubernetes mounts a ConfigMap: the file stays where it is, and the folder behind it is swapped."""
        self.links += 1
        data = path.parent / f"..{self.links}"
        data.mkdir()
        (data / path.name).write_text(text)
        (path.parent / "..new").symlink_to(data.name)
        (path.parent / "..new").replace(path.parent / "..data")
        (path.parent / ".link").symlink_to(f"..data/{path.name}")
        (path.parent / ".link").replace(path)

    def _deny(self, path: Path, _: str) -> None:
        path.chmod(path.stat().st_mode)  # what the kernel tells when a mode changes
        self.denied ^= {os.path.normpath(path)}

    def _folder(self, path: Path, _: str) -> None:
        """It goes away, or comes back."""
        away = self.root / f"away-{path.name}"
        if away.exists():
            away.rename(path)
        else:
            path.rename(away)

    @contextmanager
    def denying(self) -> Iterator[None]:
        """What may not be opened, or listed."""
        patches = [
            patch.object(reading.os, name, self._checked(getattr(os, name), below=below))
            for name, below in (("open", False), ("scandir", False), ("stat", True), ("lstat", True))
        ]
        with contextlib.ExitStack() as stack:
            for one in patches:
                stack.enter_context(one)
            yield

    def _checked(self, call: Callable[..., object], *, below: bool) -> Callable[..., object]:
        def checked(path: str, *args: object, **more: object) -> object:
            at = os.path.normpath(path)
            if any((at == one and not below) or at.startswith(f"{one}/") for one in self.denied):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return call(path, *args, **more)

        return checked


@dataclass(slots=True)
class Both:
    """A source that is told of single files, and the plain rules, which see everything."""

    disk: Disk
    now: float = 100.0
    files: Files = field(init=False)
    plain: PlainSettling = field(init=False)
    seen: Seen = field(default_factory=lambda: Seen(files={}))
    last_good: LastGood = field(default_factory=lambda: LastGood(wrong_with))
    plain_good: PlainLastGood = field(default_factory=lambda: PlainLastGood(wrong_with))
    objects: tuple[RawObject, ...] = ()
    belief: PlainBelief = field(default_factory=PlainBelief)

    def __post_init__(self) -> None:
        path = str(self.disk.folder)
        ages = Ages(StateFile(self.disk.root / "ages.json", private_file.write))
        self.files = Files((path,), ages=ages, now=self.wall, clock=lambda: self.now)
        self.plain = PlainSettling((path,))
        step, follow = Settling.step, Settling.follow

        def stepped(settling: Settling, seen: Seen, now: float) -> Belief:
            self.seen = seen
            self.belief = self.plain.step(seen, now)
            return step(settling, seen, now)

        def followed(settling: Settling, changes: dict[str, Text | None], now: float) -> Belief:
            files = {**self.seen.files, **changes}
            whole = {name: text for name, text in sorted(files.items()) if text is not None}
            self.seen = Seen(
                files=whole,
                folders=self.seen.folders,
                missing=self.seen.missing,
                directories=self.seen.directories,
            )
            self.belief = self.plain.step(self.seen, now)
            return follow(settling, changes, now)

        self.patches = (patch.object(Settling, "step", stepped), patch.object(Settling, "follow", followed))

    patches: tuple[object, ...] = ()

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)

    def look(self) -> None:
        with self.disk.denying(), self.patches[0], self.patches[1]:  # type: ignore[attr-defined]
            listing = self.files.listing()
            self.files._watcher.follow(self.files._belief.directories, self.now)  # type: ignore[union-attr]
            self.check_seen(Reader((str(self.disk.folder),)).look())
        self.check_belief()
        self.check_listing(listing)
        self.check_admitted(listing)

    def check_seen(self, whole: Seen) -> None:
        """Nothing has been missed: who looks at everything now sees no more."""
        assert self.contents(self.seen) == self.contents(whole)
        assert (self.seen.folders, self.seen.missing) == (whole.folders, whole.missing)

    @staticmethod
    def contents(seen: Seen) -> dict[str, object]:
        return {name: text.content if isinstance(text, Text) else text for name, text in seen.files.items()}

    def check_belief(self) -> None:
        settling, plain = self.files._settling, self.belief
        told = self.files._belief
        assert told is not None
        assert [(name, version.content) for name, version in settling.files] == [
            (name, version.content) for name, version in plain.files
        ]
        assert told.names == tuple(name for name, _ in plain.files)
        assert (told.moved, told.unreadable, told.withheld) == (plain.moved, plain.unreadable, plain.withheld)
        assert told.problems == plain.problems

    def check_listing(self, listing: Listing) -> None:
        wanted = [
            raw
            for name, version in self.belief.files
            for raw in version.objects
            if not (name in self.belief.withheld and key_of(raw) in self.belief.moved)
        ]
        assert [(key_of(raw), raw.digest) for raw in wanted] == [
            (key_of(raw), raw.digest.split("@")[0]) for raw in listing.objects
        ]
        old, new = {id(raw): raw for raw in self.objects}, {id(raw): raw for raw in listing.objects}
        assert {id(raw) for raw in listing.added} == new.keys() - old.keys()
        assert {id(raw) for raw in listing.gone} == old.keys() - new.keys()
        texts = {raw.digest: raw for raw in self.objects}
        for raw in listing.objects:  # what says the same is the same
            assert texts.get(raw.digest, raw) is raw
        self.objects = listing.objects
        assert self.files.ages is not None
        assert {key_of(raw) for raw in listing.objects} <= self.files.ages.known.keys()

    def check_admitted(self, listing: Listing) -> None:
        before = self.last_good._last
        admitted = self.last_good.admit(listing)
        listed, stand_in, problems = self.plain_good.admit(listing)
        number = len(listed)
        assert list(map(id, admitted.objects[:number])) == list(map(id, listed))
        assert {id(raw) for raw in admitted.objects[number:]} == {id(raw) for raw in stand_in}
        assert sorted(map(str, admitted.problems)) == sorted(map(str, problems))
        assert self.last_good.good == self.plain_good.good
        old = {id(raw) for raw in before.objects} if before else set()
        new = {id(raw) for raw in admitted.objects}
        assert ({id(raw) for raw in admitted.added}, {id(raw) for raw in admitted.gone}) == (
            new - old,
            old - new,
        )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_remembered_is_what_the_whole_says(tmp_path: Path, seed: int) -> None:
    random, disk = Random(seed), Disk(tmp_path)
    (disk.folder / "sub").mkdir(parents=True)
    for name, text in zip(FILES, NAMES, strict=False):
        (disk.folder / f"{name}.yaml").write_text(document(text, 2))
    both = Both(disk)
    both.look()
    try:
        for _ in range(STEPS):
            for _ in range(random.randrange(4)):
                disk.edit(*edit_of(random))
            both.look()
            both.now += random.choice(PAUSES)
            both.look()
        check_against_a_new_one(both)
    finally:
        both.files._watcher.close()


def check_against_a_new_one(both: Both) -> None:
    """When everything has settled, a source that has just begun says the same."""
    both.disk.denied.clear()
    both.files._is_unclear = True
    for _ in range(2):
        both.look()
        both.now += 20.0
    both.look()
    fresh = Files((str(both.disk.folder),)).listing()
    assert [(key_of(raw), raw.digest) for raw in fresh.objects] == [
        (key_of(raw), raw.digest.split("@")[0]) for raw in both.objects
    ]
