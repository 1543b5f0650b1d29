import os
from pathlib import Path

import pytest

from mizzen.proxy.binary import envoy_binary, envoy_version


def test_the_binary_of_the_wheel_is_found_without_importing_the_wheel() -> None:
    found = envoy_binary()

    assert found.name == "envoy"
    with found.open("rb") as binary:
        assert binary.read(4) == b"\x7fELF"
    assert envoy_version().startswith("1.")


def test_another_binary_may_be_named(tmp_path: Path) -> None:
    own = tmp_path / "my-envoy"
    own.touch(mode=0o755)

    assert envoy_binary(own) == own


def test_a_binary_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no Envoy at .*/missing"):
        envoy_binary(tmp_path / "missing")


def test_a_file_that_may_not_be_executed_is_no_binary(tmp_path: Path) -> None:
    own = tmp_path / "envoy"
    own.touch(mode=0o644)
    os.chmod(own, 0o644)

    with pytest.raises(FileNotFoundError, match="may not be executed"):
        envoy_binary(own)
