"""Where the kernel has nothing left to watch with."""

import subprocess
import sys
from pathlib import Path

import pytest

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
