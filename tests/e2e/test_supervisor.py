"""A supervisor with real Envoys: what happens when somebody dies, comes, goes or is told to stop."""

import contextlib
import http.client
import json
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mizzen.http3.server_ids import environment
from mizzen.node.envoy_process import ENVIRONMENT
from mizzen.node.instance import Instance, get, status

pytestmark = pytest.mark.e2e

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PORT = 18080
READY = (200, "ready\n")


@dataclass
class Running:
    """A small instance in a process of its own."""

    process: subprocess.Popen[str]
    instance: Instance
    file: Path
    heard: str = ""  # of stderr, by `said`

    def until_ready(self, seconds: float = 20) -> None:
        assert self.process.stdout
        readable, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert readable, "not ready in time"
        assert self.process.stdout.readline() == "ready\n", self.complaint()

    def complaint(self) -> str:
        """What it said on stderr, once it has ended."""
        return self.process.communicate(timeout=15)[1]

    def declare(self, **gateways: int) -> None:
        declare(self.file, **gateways)

    def children(self) -> dict[int, str]:
        """Pid and command line of all its children."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = {}
        for pid in listed:
            with contextlib.suppress(FileNotFoundError):  # it has just ended
                found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return found

    def child(self, word: str) -> int:
        (found,) = (pid for pid, command in self.children().items() if word in command)
        return found

    def said(self, words: str, seconds: float = 10) -> None:
        """Wait until it says so on stderr."""
        assert self.process.stderr
        deadline = time.monotonic() + seconds
        while words not in self.heard:
            left = deadline - time.monotonic()
            assert left > 0, f"it did not say {words!r}, but {self.heard!r}"
            if select.select([self.process.stderr], [], [], left)[0]:
                self.heard += os.read(self.process.stderr.fileno(), 65536).decode()
        self.heard = self.heard.partition(words)[2]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """(exit status, seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.communicate(timeout=15)
        return self.process.returncode, time.monotonic() - began


def declare(file: Path, **gateways: int) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({name: {"port": port, "text": name} for name, port in gateways.items()}))
    beside.replace(file)


@contextlib.contextmanager
def started(folder: Path, *helper: str, patience: float = 25, **gateways: int) -> Iterator[Running]:
    file = folder / "gateways.json"
    if not file.exists():
        declare(file, **(gateways or {"one": PORT}))
    run_dir = folder / "run"
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "tests" / "harness" / "small_instance.py"),
            str(run_dir),
            str(file),
            *helper,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATIENCE": str(patience)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Running(process, Instance(run_dir), file)
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.terminate()
            process.communicate(timeout=12)
        process.kill()
        process.communicate()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with started(tmp_path) as one:
        one.until_ready()
        yield one


def asked(port: int, path: str = "/") -> tuple[int, str]:
    """Status and body; (0, reason) when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


def until(wanted: Any, ask: Callable[[], Any], seconds: float = 10) -> float:
    """Ask until the answer is the wanted one: the seconds that it took."""
    began = time.monotonic()
    while (found := ask()) != wanted:
        assert time.monotonic() - began < seconds, f"still {found!r}, not {wanted!r}"
        time.sleep(0.005)
    return time.monotonic() - began


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_gateway_serves_and_tells_its_health_and_metrics(running: Running) -> None:
    assert asked(PORT) == (200, "one")
    assert asked(15021, "/healthz/ready") == READY
    status, metrics = asked(15090, "/stats/prometheus")
    assert status == 200
    assert "envoy_server_live" in metrics
    # Nothing but these two paths is open to everybody.
    assert asked(15021, "/quitquitquit")[0] == 404
    assert asked(15090, "/config_dump")[0] == 404


@pytest.mark.parametrize(
    "detour", ["/../..", "/%2e%2e/%2e%2e", "/..%2f..", "\\..\\..", ";/../..", "x/../..", "#/../.."]
)
def test_no_way_leads_from_the_metrics_to_the_admin_interface(running: Running, detour: str) -> None:
    for target in ("/config_dump", "/quitquitquit"):
        connection = http.client.HTTPConnection("127.0.0.1", 15090, timeout=5)
        connection.request("POST", f"/stats/prometheus{detour}{target}")
        assert "# TYPE envoy_server_live gauge" in connection.getresponse().read().decode()
        connection.close()
    assert asked(PORT) == (200, "one")
    assert running.child("bootstrap.json")


def test_what_is_in_the_run_dir_is_for_its_owner_alone(running: Running) -> None:
    run_dir = running.instance.run_dir
    assert run_dir.stat().st_mode & 0o777 == 0o700
    assert running.instance.admin_socket("one.test").stat().st_mode & 0o777 == 0o600


def test_a_killed_envoy_serves_again_within_two_seconds(running: Running) -> None:
    before = running.child("bootstrap.json")

    os.kill(before, signal.SIGKILL)
    until(False, lambda: alive(before))
    taken = until((200, "one"), lambda: asked(PORT))

    assert taken < 2
    assert running.child("bootstrap.json") != before
    until(READY, lambda: asked(15021, "/healthz/ready"))


def test_a_killed_control_plane_comes_back_while_envoy_serves_on(running: Running) -> None:
    before, envoy = running.child("small_control_plane"), running.child("bootstrap.json")

    os.kill(before, signal.SIGKILL)
    until(False, lambda: alive(before))
    assert asked(PORT) == (200, "one")
    assert asked(15021, "/healthz/ready") == READY  # what was confirmed once counts

    running.declare(one=PORT, two=PORT + 1)
    until((200, "two"), lambda: asked(PORT + 1))
    assert running.child("run/one.test/bootstrap.json") == envoy


def test_envoy_has_nothing_of_the_environment_of_who_started_it(running: Running) -> None:
    of_envoy = Path(f"/proc/{running.child('bootstrap.json')}/environ").read_text().split("\0")

    assert "PATH" in os.environ  # there is something that it could have
    told = environment("", "", "one.test")  # what its configuration may refer to
    assert {one.partition("=")[0] for one in of_envoy if one} <= ENVIRONMENT | told.keys()


NO_STATUS = [
    None,
    {},
    {"proxies": []},
    {"proxies": [], "gateways": {}},  # it does not say whether that is all
    {"sound": False, "proxies": [], "gateways": {}},
    {"sound": True, "proxies": "none", "gateways": {}},
    {"sound": True, "proxies": [{"name": "one"}], "gateways": {}},
    {"sound": True, "proxies": [], "gateways": {"one.test": 1}},
]


def test_no_envoy_ends_by_a_status_that_does_not_say_so(running: Running) -> None:
    envoy = running.child("bootstrap.json")
    answers = running.instance.run_dir / "answers"
    for none in NO_STATUS:
        answers.write_text("")
        tell(running.file, none)
        until(True, lambda: len(answers.read_text()) > 2)
        assert running.child("bootstrap.json") == envoy, status
    assert asked(PORT) == (200, "one")

    tell(running.file, {"sound": True, "proxies": [], "gateways": {}})  # and by this one it does
    until(False, lambda: alive(envoy))


def tell(file: Path, status: object) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"status": status}))
    beside.replace(file)


def test_nothing_is_left_when_the_supervisor_is_killed(running: Running) -> None:
    children = running.children()
    assert len(children) == 2

    running.process.kill()
    running.process.communicate()

    until(set(), lambda: {pid for pid in children if alive(pid)})
    with started(running.instance.run_dir.parent) as again:  # and what it left on disk is no obstacle
        again.until_ready()
        assert asked(PORT) == (200, "one")


def test_a_second_instance_in_the_same_run_dir_is_refused(running: Running) -> None:
    with started(running.instance.run_dir.parent) as second:
        complaint = second.complaint()

    assert second.process.returncode == 1
    assert f"run-dir {running.instance.run_dir} is used by mizzen pid {running.process.pid}" in complaint
    assert asked(PORT) == (200, "one")


def test_a_second_instance_on_the_same_ports_says_who_has_them(running: Running, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with started(tmp_path / "b") as second:
        complaint = second.complaint()

    envoy = running.child("bootstrap.json")
    assert second.process.returncode == 1
    assert f"TCP 0.0.0.0:15021 for health checks: it is in use by pid {envoy}" in complaint


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_in_good_order(running: Running, number: signal.Signals) -> None:
    children = running.children()

    status, seconds = running.stop(number)

    assert status == 0
    assert seconds < 5  # nobody was connected: nothing to wait for
    assert not [pid for pid in children if alive(pid)]
    left = {path.name for path in running.instance.run_dir.iterdir()}
    assert left == {"lock", "logs"}


def test_clients_that_stay_are_waited_for_only_so_long(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", PORT)) as client:
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")

        running.process.send_signal(signal.SIGTERM)
        until(503, lambda: asked(15021, "/healthz/ready")[0])
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"connection: close" in client.recv(4096)

    running.process.communicate(timeout=10)
    assert running.process.returncode == 0


def test_an_idle_client_delays_the_end_but_not_beyond_ten_seconds(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", PORT)):
        status, seconds = running.stop()

    assert status == 0
    assert seconds < 10


def test_an_envoy_that_hangs_does_not_delay_the_end_beyond_ten_seconds(running: Running) -> None:
    envoy = running.child("bootstrap.json")
    os.kill(envoy, signal.SIGSTOP)

    status, seconds = running.stop()

    assert status == 0
    assert seconds < 10
    assert not alive(envoy)


def test_a_second_signal_hurries(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", PORT)):
        running.process.send_signal(signal.SIGINT)
        until(503, lambda: asked(15021, "/healthz/ready")[0])
        status, seconds = running.stop(signal.SIGINT)

    assert status == 0
    assert seconds < 2


def test_gateways_come_and_go_while_the_others_serve(running: Running) -> None:
    envoy = running.child("bootstrap.json")

    running.declare(one=PORT, two=PORT + 1)
    until((200, "two"), lambda: asked(PORT + 1))
    until(READY, lambda: asked(15121, "/healthz/ready"))
    running.declare(one=PORT)
    until(0, lambda: asked(15121, "/healthz/ready")[0])
    until(2, lambda: len(running.children()))

    assert asked(PORT) == (200, "one")
    assert running.child("bootstrap.json") == envoy


def test_a_control_plane_that_cannot_start_shows_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "gateways.json").write_text(json.dumps({"complaint": "no such file: shop.yaml"}))
    with started(tmp_path) as one:
        complaint = one.complaint()

    assert one.process.returncode == 1
    assert "mizzen: control plane ended with status 1" in complaint
    assert "no such file: shop.yaml" in complaint


def test_helpers_are_kept_running_and_end_with_the_instance(tmp_path: Path) -> None:
    with started(tmp_path, "sleep", "1000") as one:
        one.until_ready()
        before = one.child("sleep 1000")
        os.kill(before, signal.SIGKILL)
        until(False, lambda: alive(before))
        until(1, lambda: sum("sleep 1000" in command for command in one.children().values()))
        helper = one.child("sleep 1000")
        assert one.stop()[0] == 0

    assert not alive(helper)


def test_a_run_dir_that_others_use_is_left_alone(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o755)
    (run_dir / "thesis.txt").touch()
    with started(tmp_path) as one:
        complaint = one.complaint()

    assert "holds files that are not mizzen's" in complaint
    assert run_dir.stat().st_mode & 0o777 == 0o755


def test_the_control_socket_answers_while_the_instance_runs(running: Running) -> None:
    assert status(running.instance).gateways["one.test"].synced
    # Whoever cannot read the run-dir's key hears nothing: Envoy itself could be made to ask.
    assert get(running.instance.control_socket, "/status")[0] == 403


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Running]:
    with started(tmp_path, "sleep", "1000", patience=1.5) as one:
        one.until_ready()
        yield one


@pytest.mark.parametrize("word", ["bootstrap.json", "small_control_plane", "sleep 1000"])
def test_a_process_that_hangs_is_told_of_and_replaced(impatient: Running, word: str) -> None:
    before = impatient.child(word)

    os.kill(before, signal.SIGSTOP)
    impatient.said(f"'kill -CONT {before}' lets it go on")
    impatient.said(": it is killed, and started again")

    until(
        True, lambda: any(word in command and pid != before for pid, command in impatient.children().items())
    )
    until((200, "one"), lambda: asked(PORT))
    until(READY, lambda: asked(15021, "/healthz/ready"))
    assert not alive(before)


def test_who_goes_on_in_time_is_left_alone(impatient: Running) -> None:
    before = impatient.child("bootstrap.json")

    os.kill(before, signal.SIGSTOP)
    impatient.said("has not answered")
    os.kill(before, signal.SIGCONT)
    impatient.said(f"Envoy of one.test (pid {before}) answers again")

    assert asked(PORT) == (200, "one")
    assert impatient.child("bootstrap.json") == before


def test_a_supervisor_that_was_stopped_itself_blames_nobody(impatient: Running) -> None:
    before = impatient.children()

    os.kill(impatient.process.pid, signal.SIGSTOP)
    os.kill(impatient.child("bootstrap.json"), signal.SIGSTOP)
    time.sleep(2)  # more than its patience
    os.kill(impatient.child("bootstrap.json"), signal.SIGCONT)
    os.kill(impatient.process.pid, signal.SIGCONT)

    impatient.declare(one=PORT, two=PORT + 1)  # it looks at everything, and acts
    until((200, "two"), lambda: asked(PORT + 1))
    assert impatient.children().items() >= before.items()


def test_an_envoy_may_open_as_many_files_as_the_system_allows_and_says_when_they_run_short(
    running: Running,
) -> None:
    envoy = running.child("bootstrap.json")
    soft, hard = resource.prlimit(envoy, resource.RLIMIT_NOFILE)
    assert soft == hard == resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    resource.prlimit(envoy, resource.RLIMIT_NOFILE, (20, hard))
    running.said("Envoy of one.test has ")
    resource.prlimit(envoy, resource.RLIMIT_NOFILE, (hard, hard))
    running.said("Envoy of one.test has file descriptors to spare again")


def test_a_cleaned_run_dir_is_made_again_and_the_next_envoy_serves(running: Running) -> None:
    run_dir = running.instance.run_dir
    before = running.children()

    remove(run_dir)

    running.said("somebody removed from the run-dir what is in use: the folder, lock, logs")
    until(403, lambda: answer_of(running.instance.control_socket, "/status"))  # who asks shows no proof
    until(200, lambda: answer_of(running.instance.admin_socket("one.test"), "/ready"))
    until(READY, lambda: asked(15021, "/healthz/ready"))
    assert asked(15090, "/stats/prometheus")[0] == 200
    assert running.children() == before  # nobody had to be started again
    assert run_dir.stat().st_mode & 0o777 == 0o700
    with started(run_dir.parent) as second:
        assert f"is used by mizzen pid {running.process.pid}" in second.complaint()

    os.kill(running.child("bootstrap.json"), signal.SIGKILL)
    until(0, lambda: asked(PORT)[0])
    until((200, "one"), lambda: asked(PORT))
    os.kill(running.child("small_control_plane"), signal.SIGKILL)
    running.declare(one=PORT, two=PORT + 1)
    until((200, "two"), lambda: asked(PORT + 1))
    assert (run_dir / "logs" / "one.test.envoy.log").exists()
    assert running.stop()[0] == 0
    assert {path.name for path in run_dir.iterdir()} == {"lock", "logs"}


def test_a_run_dir_without_its_lock_is_still_not_given_to_a_second_instance(running: Running) -> None:
    (running.instance.run_dir / "lock").unlink()
    with started(running.instance.run_dir.parent) as second:
        assert "is used by mizzen pid" in second.complaint()


def remove(folder: Path) -> None:
    """At once, so that nobody mends one half of it while the other still goes."""
    shutil.rmtree(folder.rename(folder.with_name(f"{folder.name}.gone")))


def answer_of(path: Path, target: str) -> int:
    try:
        return get(path, target)[0]
    except OSError:
        return 0
