"""What is away for a while comes back by itself: ports, files and sockets of the run-dir, room on the disk."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_supervisor import remove
from tests.e2e.test_under_load import answering_pid, assert_nothing_failed, envoy_pid, load, write
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
READY = "http://127.0.0.1:15021/healthz/ready"


def alt_svc(authority: Authority, host: str = HOST) -> str:
    return curl("h2", f"https://{host}:8443/", ca_pem=authority.pem).header("alt-svc")


@contextlib.contextmanager
def robbed(parent: int, envoy: int, kind: socket.SocketKind) -> Iterator[None]:
    """Port 8443 is taken away while Envoy restarts, and is held until the block ends."""
    # While its parent stands still, nobody starts the next Envoy before the port is ours.
    os.kill(parent, signal.SIGSTOP)
    os.kill(envoy, signal.SIGKILL)
    with socket.socket(socket.AF_INET, kind) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
        eventually(lambda: is_bound(thief))
        if kind is socket.SOCK_STREAM:
            thief.listen()
        os.kill(parent, signal.SIGCONT)
        yield


def is_bound(one: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        one.bind(("0.0.0.0", 8443))
        return True
    return False


def test_a_udp_port_that_was_lost_is_told_of_and_served_again_when_it_is_free(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        with robbed(up.process.pid, envoy_pid(up), socket.SOCK_DGRAM):
            told = f"UDP 0.0.0.0:8443 cannot be opened: it is in use by pid {os.getpid()} "
            eventually(lambda: told in up.read())
            assert told in up.mizzen("proxy-status").stdout
            assert alt_svc(authority) == "clear"
            # Over TCP it serves as before: that is ready.
            eventually(lambda: curl("h1", READY).status == 200)
        eventually(lambda: alt_svc(authority) == 'h3=":8443"; ma=86400')
        assert curl("h3", URL, ca_pem=authority.pem).status == 200
        eventually(lambda: "mended:" in up.read())
        assert up.status()["problems"] == []


def test_a_tcp_port_that_was_lost_is_told_of_and_makes_the_gateway_not_ready_until_it_is_free(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        with robbed(up.process.pid, envoy_pid(up), socket.SOCK_STREAM):
            told = f"TCP 0.0.0.0:8443 cannot be opened: it is in use by pid {os.getpid()} "
            eventually(lambda: told in up.read())
            eventually(lambda: told in curl("h1", READY).text)
            assert curl("h3", URL, ca_pem=authority.pem).status == 200  # who came over HTTP/3 stays
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).status == 200)
        eventually(lambda: curl("h1", READY).status == 200)


def test_a_udp_port_that_another_process_shares_is_not_announced(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            thief.bind(("0.0.0.0", 8443))
            eventually(lambda: alt_svc(authority) == "clear")
            eventually(lambda: "PORT-002" in up.read())
            assert f"pid {os.getpid()} " in up.output
        eventually(lambda: alt_svc(authority) == 'h3=":8443"; ma=86400')


def test_a_run_dir_that_is_removed_under_load_drops_nothing(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        run_dir = up.instance.run_dir
        root = (up.instance.authority / "authority.json").read_bytes()
        envoy, control_plane = envoy_pid(up), up.status()["pid"]
        with load(authority) as loads:
            remove(run_dir)
            eventually(lambda: answering_pid(up) == control_plane)
            eventually(lambda: (run_dir / "announcements.json").exists())
        assert_nothing_failed(loads)
        assert envoy_pid(up) == envoy
        assert "somebody removed from the run-dir what is in use" in up.read()
        status = up.mizzen("proxy-status")
        assert (status.returncode, "SYNCED" in status.stdout) == (0, True)
        assert (up.instance.authority / "authority.json").read_bytes() == root

        os.kill(envoy, signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{envoy}").exists())
        for protocol in ("h2", "h3"):
            eventually(lambda p=protocol: curl(p, URL, ca_pem=authority.pem).status == 200)
        assert alt_svc(authority).startswith("h3=")


def test_without_room_on_the_disk_all_is_served_and_nothing_new_is_promised(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    with gateway.up(folder) as up:
        pids = (up.process.pid, up.status()["pid"])
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for pid in pids:  # no file may grow: the kernel answers as a disk that is full
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        (folder / "other-secret.yaml").write_text(gateway.secret("other-tls", authority.server("other.test")))
        (folder / "other.yaml").write_text(
            gateway.gateway("other.test", name="other", credential="other-tls")
            + "---\n"
            + gateway.route("other.test", name="other", gateway_name="other")
        )
        other = "https://other.test:8443/"
        eventually(lambda: curl("h3", other, ca_pem=authority.pem).status == 200)
        eventually(lambda: "DISK-001" in up.read())
        assert alt_svc(authority, "other.test") == ""
        assert alt_svc(authority).startswith("h3=")  # that was written down before
        assert curl("h1", READY).status == 200
        eventually(lambda: "cannot be written (File too large): its lines are lost meanwhile" in up.read())
        assert up.status()["pid"] == pids[1]

        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        eventually(lambda: alt_svc(authority, "other.test").startswith("h3="))
        assert "https-other" in up.instance.announcements.read_text()
        eventually(lambda: "DISK-001" not in str(up.status()["problems"]))
        assert "Traceback" not in up.read() + up.logs()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a disk that is full")
@pytest.mark.parametrize("inodes", [3, 8])
def test_a_start_on_a_full_disk_ends_with_a_sentence(
    folder: Path, tmp_path: Path, authority: Authority, httpbin: int, inodes: int
) -> None:
    write(folder, authority, httpbin)
    disk = tmp_path / "d"
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=64k,nr_inodes={inodes} none {disk} && (cat /dev/zero > {disk}/full; true) 2>/dev/null"
        f" && exec {sys.executable} -m mizzen up -f {folder} --run-dir {disk}/run"
    )
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
