"""What is read when the kernel tells of a change, and where it has nothing left to watch with."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mizzen.sources.files import Files
from mizzen.sources.listing import Listing
from mizzen.sources.reading import Reader, Seen, Text
from mizzen.sources.versions import Version

# In a user namespace of its own, whose limit of inotify instances is its own as well.
CHILD = """
import asyncio, ctypes, os, sys
from pathlib import Path

user, group = os.geteuid(), os.getegid()
if ctypes.CDLL(None).unshare(0x10000000):
    sys.exit("no user namespace")
limit = Path("/proc/sys/user/max_inotify_" + sys.argv[2])
try:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    limit.write_text("0")
except OSError as error:
    sys.exit(f"no limit of its own: {error}")

from mizzen.sources import watching
from mizzen.sources.files import Files

watching.RETRY_SECONDS = 0.3
folder = Path(sys.argv[1])
files = Files((str(folder),))

async def main():
    print(files.listing().problems)
    codes = []
    async for _ in files.changes():
        listing = files.listing()
        codes.append([f"{one.code} {one.severity.value}" for one in listing.problems])
        names = [raw.name for raw in listing.objects]
        if len(codes) == 1:
            print(listing.problems[0].message)
            (folder / "x.yaml").write_text((folder / "x.yaml").read_text().replace("name: a", "name: b"))
        if "b" in names and codes[-1]:
            limit.write_text("100")
        if "b" in names and not codes[-1]:
            break
    print(codes[0], codes[-1])

asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.parametrize("limit", ["instances", "watches"])
def test_without_inotify_files_are_looked_at_and_it_is_said(tmp_path: Path, limit: str) -> None:
    (tmp_path / "x.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n")
    command = [sys.executable, "-c", CHILD, str(tmp_path), limit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.stderr.startswith(("no user namespace", "no limit")):
        pytest.skip(done.stderr.strip())
    before, message, after = done.stdout.splitlines()

    assert before == "()"
    assert message.startswith("the kernel does not tell of changes (its limit of ")
    assert after == "['FILE-003 warning'] []"


def service(name: str, port: int = 80) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n  - port: {port}\n"


@dataclass(slots=True)
class Work:
    """What has been done: looks at everything, files that were read by their names, and versions that were parsed."""

    looks: int = 0
    read: list[str] = field(default_factory=list)
    parsed: list[str] = field(default_factory=list)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted, look, look_at, of = Work(), Reader.look, Reader.look_at, Version.of.__func__  # type: ignore[attr-defined]

    def looked(reader: Reader, again: object = ()) -> Seen:
        counted.looks += 1
        return look(reader, again)  # type: ignore[arg-type]

    def looked_at(reader: Reader, names: set[str]) -> object:
        counted.read += names
        return look_at(reader, names)

    def parsed(kind: type[Version], content: bytes, file: str, before: Version | None = None) -> Version:
        counted.parsed.append(file)
        made: Version = of(kind, content, file, before)
        return made

    monkeypatch.setattr(Reader, "look", looked)
    monkeypatch.setattr(Reader, "look_at", looked_at)
    monkeypatch.setattr(Version, "of", classmethod(parsed))
    return counted


@contextlib.asynccontextmanager
async def followed(files: Files) -> AsyncIterator[list[Listing]]:
    """The listings after each change, once the kernel tells of changes."""
    listings = [files.listing()]

    async def follow() -> None:
        async for _ in files.changes():
            listings.append(await asyncio.to_thread(files.listing))

    task = asyncio.create_task(follow())
    await until(lambda: files._watcher.is_on and not files._is_unclear and not files._lock.locked())
    yield listings
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(holds: object, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.005)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look at everything that is due by the clock alone."""
    monkeypatch.setattr("mizzen.sources.files.RESCAN_SECONDS", 1000.0)
    monkeypatch.setattr("mizzen.sources.files.LONGEST_RESCAN_SECONDS", 1000.0)


@pytest.mark.parametrize("number", [10, 300])
@pytest.mark.usefixtures("quiet")
async def test_one_file_that_changes_is_the_only_one_that_is_read(
    tmp_path: Path, work: Work, number: int
) -> None:
    for at in range(number):
        (tmp_path / f"{at}.yaml").write_text(service(f"s{at}"))
    async with followed(Files((str(tmp_path),))) as listings:
        work.looks, work.read, work.parsed = 0, [], []
        before, path = listings[-1], tmp_path / "7.yaml"
        for how, text in ((path.write_text, service("s7", 81)), (path.write_text, service("s7", 82))):
            how(text)
            await until(lambda text=text: port_of(listings[-1], "s7") == int(text.split()[-1]))
        (tmp_path / "beside").write_text(service("s7", 83))
        (tmp_path / "beside").rename(path)
        await until(lambda: port_of(listings[-1], "s7") == 83)
    assert work.looks == 0
    assert set(work.read) == {str(path)} and len(work.parsed) <= 6
    kept = set(map(id, before.objects)) & set(map(id, listings[-1].objects))
    assert len(kept) == number - 1


def port_of(listing: Listing, name: str) -> int:
    return next(raw.data["spec"]["ports"][0]["port"] for raw in listing.objects if raw.name == name)


@pytest.mark.usefixtures("quiet")
async def test_a_storm_is_one_listing_and_each_file_is_read_once(tmp_path: Path, work: Work) -> None:
    for at in range(200):
        (tmp_path / f"{at}.yaml").write_text(service(f"s{at}"))
    async with followed(Files((str(tmp_path),))) as listings:
        number = len(listings)
        work.looks, work.parsed = 0, []
        for at in range(200):
            (tmp_path / f"{at}.yaml").write_text(service(f"s{at}", 81))
        await until(lambda: all(port_of(listings[-1], f"s{at}") == 81 for at in range(200)))
    assert (work.looks, len(listings) - number) == (0, 1)
    assert len(listings[-1].added) == len(listings[-1].gone) == 200
    assert len(work.parsed) == len(set(work.parsed))


@pytest.mark.usefixtures("quiet")
async def test_what_was_written_last_is_what_is_listed_last(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(service("a", 1))
    async with followed(Files((str(tmp_path),))) as listings:
        for port in range(2, 200):
            path.write_text(service("a", port))
            time.sleep(0.0005)
            await asyncio.sleep(0.0005)
        await until(lambda: port_of(listings[-1], "a") == 199)
        ports = [port_of(one, "a") for one in listings]
    assert ports == sorted(ports)


@pytest.mark.usefixtures("quiet")
async def test_links_that_are_swapped_as_kubernetes_does_are_followed(tmp_path: Path) -> None:
    def publish(number: int) -> None:
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "x.yaml").write_text(service("a", number))
        (tmp_path / "..new").symlink_to(f"..{number}")
        (tmp_path / "..new").rename(tmp_path / "..data")

    publish(1)
    (tmp_path / "x.yaml").symlink_to("..data/x.yaml")
    async with followed(Files((str(tmp_path),))) as listings:
        for number in (2, 3):
            publish(number)
            await until(lambda number=number: port_of(listings[-1], "a") == number)


@pytest.mark.usefixtures("quiet")
async def test_a_link_to_nowhere_is_followed_when_its_file_appears(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "x.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    async with followed(Files((str(folder),))) as listings:
        (tmp_path / "elsewhere.yaml").write_text(service("a"))
        await until(lambda: [raw.name for raw in listings[-1].objects] == ["a"])


@pytest.mark.usefixtures("quiet")
async def test_more_events_than_the_kernel_keeps_lose_nothing(tmp_path: Path, work: Work) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "x.yaml").write_text(service("a", 1))
    async with followed(Files((str(folder),))) as listings:
        most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        for at in range(most // 2 + 10):  # nobody reads meanwhile: the event loop is here
            os.close(os.open(folder / f"junk{at % 2}", os.O_CREAT | os.O_WRONLY))
            (folder / f"junk{at % 2}").unlink()
        (folder / "x.yaml").write_text(service("a", 2))
        await until(lambda: port_of(listings[-1], "a") == 2)
    assert work.looks > 1


async def test_a_named_folder_whose_parent_is_swapped_is_followed(tmp_path: Path) -> None:
    """Nothing tells of that: the folder itself stays what it is, under another path."""
    for name, port in (("now", 1), ("next", 2)):
        (tmp_path / name / "d").mkdir(parents=True)
        (tmp_path / name / "d" / "x.yaml").write_text(service("a", port))
    async with followed(Files((str(tmp_path / "now" / "d"),))) as listings:
        (tmp_path / "now").rename(tmp_path / "before")
        (tmp_path / "next").rename(tmp_path / "now")
        await until(lambda: port_of(listings[-1], "a") == 2)


def test_what_is_read_is_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(service("a"))
    reader = Reader((str(tmp_path),))
    reader.look()
    (tmp_path / "x.yaml").write_text(service("b"))
    changes = reader.look_at({str(tmp_path / "x.yaml"), str(tmp_path / "none.yaml")})

    assert changes is not None
    text = changes[str(tmp_path / "x.yaml")]
    assert isinstance(text, Text) and b"name: b" in text.content
    assert changes[str(tmp_path / "none.yaml")] is None
