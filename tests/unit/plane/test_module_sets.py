"""Modules that are followed: what of them is told, kept and read again."""

from datetime import UTC, datetime

import pytest

from mizzen.model.plugin import ModuleSource
from mizzen.node import private_file
from mizzen.plane.module_sets import following_modules
from mizzen.sources.fetching import Unfetched
from mizzen.sources.state_file import StateFile

pytestmark = pytest.mark.asyncio
SOURCE = ModuleSource(url="oci://a.test/a:1", secret="shop/pull", authorization="Basic c2VjcmV0")


async def test_a_module_outlives_the_process_and_its_registry(tmp_path) -> None:
    path = tmp_path / "modules.json"
    answers: list[bytes | Exception] = [b"\0asm"]

    async def fetch(source: ModuleSource) -> bytes:
        answer = answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def following():
        return following_modules(
            fetch, lambda: None, lambda: datetime.now(UTC), StateFile(path, private_file.write)
        )

    first = following()
    first.want((SOURCE,))
    await first.asked_once()
    assert first.found[SOURCE.key].code == b"\0asm"
    await first.stop()
    assert SOURCE.authorization not in path.read_text()

    then = following()
    then.want((SOURCE,))
    assert (then.found, await then.asked_once()) == (first.found, False)
    await then.stop()

    answers.append(Unfetched("gone"))
    path.write_text('{"x": {"code": "%", "at": "2026-01-01T00:00:00+00:00"}}')
    last = following()
    assert [one.code for one in last.problems] == ["FILE-004"]
    last.want((SOURCE,))
    await last.asked_once()
    assert (last.found[SOURCE.key].code, last.found[SOURCE.key].why) == (b"", "gone")
    await last.stop()
