"""What the end-to-end tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.httpbin.server import running
from tests.harness.gateway import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def httpbin() -> Iterator[int]:
    """The port of a running httpbin."""
    with running() as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test writes its YAML."""
    path = tmp_path / "yaml"
    path.mkdir()
    return path
