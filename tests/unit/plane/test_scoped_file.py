"""How route tables were sent outlives the control plane that decided it."""

from pathlib import Path

import pytest

from mizzen.plane.scoped_file import ScopedFile

DECIDED = {"edge.istio-system": {"http.8080": True, "https.443.a.b.c": False}}


def test_what_is_kept_is_read_by_the_next(tmp_path: Path) -> None:
    first, second = ScopedFile(tmp_path / "scoped.json"), ScopedFile(tmp_path / "scoped.json")
    assert first.of("edge.istio-system") == {}
    first.keep(DECIDED)
    assert second.of("edge.istio-system") == DECIDED["edge.istio-system"]
    assert second.of("other") == {}
    assert (tmp_path / "scoped.json").stat().st_mode & 0o777 == 0o600


def test_what_is_as_it_was_is_not_written_again(tmp_path: Path) -> None:
    file = ScopedFile(tmp_path / "scoped.json")
    file.keep(DECIDED)
    (tmp_path / "scoped.json").unlink()
    file.keep({key: dict(tables) for key, tables in DECIDED.items()})
    assert not (tmp_path / "scoped.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": [1]}'])
def test_a_file_that_is_not_ours_counts_as_none(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "scoped.json").write_text(text)
    file = ScopedFile(tmp_path / "scoped.json")
    assert file.of("a") == {}
    assert "is not known" in caplog.text


def test_a_disk_that_takes_nothing_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = ScopedFile(tmp_path / "away" / "scoped.json")
    file.keep(DECIDED)
    assert file.of("edge.istio-system") == DECIDED["edge.istio-system"]
    assert "cannot be kept" in caplog.text
