"""Real files on a real disk."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from mizzen.sources import reading
from mizzen.sources.files import Files
from mizzen.sources.listing import Listing
from mizzen.sources.reading import Reader, Text, Unreadable, Writer
from mizzen.sources.versions import SETTLING_SECONDS


def service(name: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n  - port: 80\n"


def names(listing: Listing) -> list[str]:
    return [raw.name for raw in listing.objects]


def codes(listing: Listing) -> list[str]:
    return [problem.code for problem in listing.problems]


# --- reading ----------------------------------------------------------------------------------------


def test_a_writer_is_seen_while_the_file_is_open(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("w") as file:
        file.write(service("a"))
        file.flush()
        assert reading.read(str(path)).writer is Writer.SOMEBODY
    assert reading.read(str(path)).writer is Writer.NOBODY


def test_what_was_renamed_into_place_is_told_from_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    before = (tmp_path / "a.yaml").stat()
    while (tmp_path / "a.yaml").stat().st_ctime_ns <= before.st_mtime_ns:
        (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")  # again, until the clock of the disk has ticked
        (tmp_path / "b.yaml").rename(tmp_path / "a.yaml")
    (tmp_path / "c.yaml").write_text("")

    assert reading.read(str(tmp_path / "a.yaml")).is_renamed
    assert not reading.read(str(tmp_path / "c.yaml")).is_renamed


def test_what_is_no_file_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    (tmp_path / "nowhere.yaml").symlink_to("..data/nowhere.yaml")
    (tmp_path / "good.yaml").write_text(service("a"))
    seen = Reader((str(tmp_path),)).look()

    assert {Path(name).name: type(read) for name, read in seen.files.items()} == {
        "good.yaml": Text,
        "pipe.yaml": Unreadable,
        "round.yaml": Unreadable,
    }


def test_a_pipe_that_was_named_is_read_once() -> None:
    read, write = os.pipe()
    os.write(write, service("a").encode())
    os.close(write)
    files = Files((f"/dev/fd/{read}",))

    assert names(files.listing()) == names(files.listing()) == ["a"]
    os.close(read)


def test_a_folder_that_is_named_beside_a_file_in_it_is_read_whole(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(service(name))
    (tmp_path / "back").symlink_to(tmp_path)

    assert names(Files((str(tmp_path / "a.yaml"), str(tmp_path))).listing()) == ["a", "b"]


# --- listings ---------------------------------------------------------------------------------------


def test_without_descriptors_nothing_is_lost(tmp_path: Path) -> None:
    """What a table of files that is full does to scandir and open."""
    (tmp_path / "sub").mkdir()
    for path in (tmp_path / "a.yaml", tmp_path / "sub" / "b.yaml"):
        path.write_text(service(path.stem))
    files = Files((str(tmp_path),))
    assert names(files.listing()) == ["a", "b"]
    (tmp_path / "a.yaml").write_text(service("other"))
    with no_descriptors():
        assert names(files.listing()) == ["a", "b"]
    assert names(Files((str(tmp_path),)).listing()) == ["other", "b"]


@contextlib.contextmanager
def no_descriptors() -> AsyncIterator[None]:  # type: ignore[misc]
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_cannot_be_read_from_the_beginning_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(service("a"))
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    (tmp_path / "deep").symlink_to("deep")
    listing = Files((str(tmp_path), str(tmp_path / "nowhere"))).listing()

    assert names(listing) == ["a"]
    assert codes(listing) == ["FILE-001"] * 3
    assert listing.unreadable == {str(tmp_path / "round.yaml"), str(tmp_path / "deep")}


# --- after another process ------------------------------------------------------------------------


async def test_what_another_process_knew_is_waited_for(tmp_path: Path) -> None:
    folder, away = tmp_path / "d", tmp_path / "away"
    folder.mkdir()
    (folder / "x.yaml").write_text(service("a"))
    known = {("Service", "", "a"): str(folder / "x.yaml"), ("Service", "", "-"): "stdin"}
    folder.rename(away)
    folder.symlink_to(folder)  # nobody can read it, not even root
    said: list[str] = []
    seconds = 0.0
    files = Files((str(folder),), clock=lambda: seconds)
    waiting = asyncio.create_task(files.return_of(known, said.append))
    await until(lambda: said)
    seconds = 1e6  # however long
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.5)
    assert not waiting.done() and "cannot be read" in said[0] and "still served" in said[0]
    folder.unlink()
    away.rename(folder)
    await waiting

    assert names(files.listing()) == ["a"]
    assert len(said) == 1


async def test_what_has_been_removed_meanwhile_is_waited_for_until_that_is_settled(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(service("a"))
    known = {("Service", "", name): str(tmp_path / "x.yaml") for name in ("a", "b")}
    seconds = 0.0
    files = Files((str(tmp_path),), clock=lambda: seconds)
    waiting = asyncio.create_task(files.return_of(known, print))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.5)
    assert not waiting.done()
    seconds = SETTLING_SECONDS
    await waiting

    assert names(files.listing()) == ["a"]


# --- changes ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def followed(files: Files) -> AsyncIterator[list[Listing]]:
    """The listings after each change, while the block runs."""
    listings = [files.listing()]

    async def follow() -> None:
        async for _ in files.changes():
            listings.append(await asyncio.to_thread(files.listing))

    task = asyncio.create_task(follow())
    yield listings
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(holds: object, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_every_way_of_changing_a_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(service("a") + "---\n" + service("b"))
    async with followed(Files((str(tmp_path),))) as listings:
        path.write_text(service("a") + "---\n" + service("b").replace("80", "81"))
        await until(lambda: listings[-1].objects[-1].data["spec"]["ports"][0]["port"] == 81)
        beside = tmp_path / "x.new"
        beside.write_text(path.read_text().replace("81", "82"))
        beside.rename(path)
        await until(lambda: listings[-1].objects[-1].data["spec"]["ports"][0]["port"] == 82)
        (tmp_path / "y.yaml").write_text(service("c"))
        await until(lambda: names(listings[-1]) == ["a", "b", "c"])
        path.unlink()
        await until(lambda: names(listings[-1]) == ["c"])


async def test_a_folder_that_flickers_is_no_change(tmp_path: Path) -> None:
    folder, away = tmp_path / "d", tmp_path / "away"
    folder.mkdir()
    (folder / "x.yaml").write_text(service("a"))
    async with followed(Files((str(folder),))) as listings:
        for _ in range(3):
            folder.rename(away)
            folder.symlink_to(folder)
            await asyncio.sleep(0.15)
            folder.unlink()
            away.rename(folder)
        (folder / "y.yaml").write_text(service("b"))
        await until(lambda: names(listings[-1]) == ["a", "b"])
        assert all("a" in names(one) and not one.problems for one in listings)
