from dataclasses import dataclass
from pathlib import Path

import pytest

from mizzen.node.instance import Instance
from mizzen.node.restore import Restorer
from mizzen.node.run_dir import Possession


@dataclass
class Part:
    """Something of the run-dir; `result` is what its next `restore` says or raises."""

    result: tuple[str, ...] | OSError = ()
    looks: int = 0

    def restore(self) -> tuple[str, ...]:
        self.looks += 1
        if isinstance(self.result, OSError):
            raise self.result
        return self.result


def test_what_came_back_is_told_and_a_part_that_cannot_does_not_keep_others_from_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    restorer = Restorer()
    stuck, lucky = Part(OSError(28, "No space left on device", "/run/x")), Part(("ads.sock",))

    restorer.look(stuck, lucky)
    lucky.result = ()
    restorer.look(stuck, lucky)

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2  # each once
    assert "cannot be made again: [Errno 28] No space left on device: '/run/x'" in told[0]
    assert "somebody removed from the run-dir what is in use: ads.sock." in told[1]


def test_nothing_is_put_into_a_run_dir_that_another_instance_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir = Instance(tmp_path / "run").run_dir
    first, part = Possession(Instance(run_dir)), Part()
    run_dir.rename(tmp_path / "gone")
    second = Possession(Instance(run_dir))

    Restorer(first).look(part)

    assert part.looks == 0
    assert "is used by mizzen pid" in caplog.text
    first.release()
    second.release()
