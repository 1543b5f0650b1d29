"""Folders and files that are away, unreadable, empty or half-written for a while: nothing served is dropped."""

import ctypes
import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.test_under_load import answering_pid, assert_nothing_failed, load, version, write
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, Up, eventually

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
_PR_CAPBSET_DROP = 24  # linux/prctl.h
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2  # linux/capability.h: what lets root ignore modes


def without_the_right_to_ignore_modes() -> None:
    """In the child, before the program starts: tests run as root in many places."""
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def everything(folder: Path, authority: Authority, port: int) -> Path:
    """All objects in one file, the route last: what is cut off costs the most."""
    write(folder, authority, port)
    parts = [
        path.read_text()
        for name in ("secret", "gateway", "backend", "route")
        for path in folder.glob(f"{name}.yaml")
    ]
    for path in folder.glob("*.yaml"):
        path.unlink()
    path = folder / "all.yaml"
    path.write_text("---\n".join(parts))
    (folder / "more.yaml").write_text(gateway.backend(port).replace("backend", "more"))
    return path


def in_halves(path: Path, text: str, pause: float, cut: float = 0.5, *, closes: bool) -> None:
    """Write in place, with a pause; with the file open meanwhile, or not."""
    at = int(len(text) * cut)
    with path.open("w") as file:
        file.write(text[:at])
        file.flush()
        if not closes:
            time.sleep(pause)
            file.write(text[at:])
            return
    time.sleep(pause)
    with path.open("a") as file:
        file.write(text[at:])


def test_nothing_fails_while_files_and_folders_flicker(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    path = everything(folder, authority, httpbin)
    text = path.read_text()
    away = folder.with_name("away")
    with gateway.up(folder, before_exec=without_the_right_to_ignore_modes) as up:
        pid = up.status()["pid"]
        with load(authority) as loads:
            for _ in range(10):
                folder.rename(away)
                time.sleep(0.3)
                away.rename(folder)
                time.sleep(0.1)
            for what in (folder, path):
                mode = what.stat().st_mode
                what.chmod(0)
                said = eventually(lambda w=what: said_of(up, w))
                assert (
                    said == "this file cannot be read: permission denied; what it held before is still served"
                )
                what.chmod(mode)
                eventually(lambda: not up.status()["problems"])
            for number in range(60):
                new = text.replace('x-version: "0"', f'x-version: "{number}"')
                in_halves(path, new, 0.03, number / 60, closes=number % 2 == 0)
            eventually(lambda: version(authority) == "59")
            for closes in (True, False):
                in_halves(path, text, 1.0, 0.97, closes=closes)
            path.write_text("")
            eventually(lambda: "there is no object left in this file" in str(up.status()["problems"]))
            path.write_text(text)
            eventually(lambda: not up.status()["problems"])
            path.rename(folder / "other.yaml")
            (folder / "other.yaml").write_text(text.replace('x-version: "0"', 'x-version: "moved"'))
            eventually(lambda: version(authority) == "moved")
            assert up.status()["pid"] == pid
            (folder / "other.yaml").write_text(text.replace("http:\n", "htttp:\n", 1))
            eventually(lambda: "htttp" in str(up.status()["problems"]))
            os.kill(pid, signal.SIGKILL)  # the last good version is known to the next control plane as well
            eventually(lambda: answering_pid(up) not in (None, pid))
            eventually(lambda: "htttp" in str(up.status()["problems"]))
            folder.chmod(0)  # the one after that cannot even read the Secret
            before = len(up.read())
            os.kill(up.status()["pid"], signal.SIGKILL)
            eventually(lambda: "cannot be read: permission denied" in up.read()[before:])
            assert answering_pid(up) is None
            folder.chmod(0o755)
            eventually(lambda: answering_pid(up))
            (folder / "other.yaml").write_text(text)
            eventually(lambda: not up.status()["problems"])
        assert_nothing_failed(loads)
        (folder / "other.yaml").unlink()
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).error)


def said_of(up: Up, path: Path) -> str:
    found = [one["message"] for one in up.status()["problems"] if one["origin"] == str(path)]
    return str(found[0]) if found else ""
