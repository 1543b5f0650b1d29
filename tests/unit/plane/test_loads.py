"""How much CPU Envoys use."""

import os
import socket
import threading
from pathlib import Path

import pytest

from mizzen.plane.loads import Used, listener_of, pressure, used


def test_it_is_a_share_of_what_all_workers_can_use() -> None:
    before = Used(7, 2, 1000, 10.0)

    assert Used(7, 2, 1100, 11.0).percent(before) == 50.0
    assert Used(7, 1, 1100, 11.0).percent(before) == 100.0


@pytest.mark.parametrize("before", [None, Used(8, 2, 0, 10.0), Used(7, 2, 0, 11.0)])
def test_of_another_process_or_at_the_first_look_nothing_is_known(before: Used | None) -> None:
    assert Used(7, 2, 1100, 11.0).percent(before) is None


def test_workers_are_threads_of_that_name() -> None:
    busy, stop = threading.Event(), threading.Event()

    def work() -> None:
        Path("/proc/thread-self/comm").write_text("wrk:worker_0")
        busy.set()
        while not stop.is_set():
            pass

    thread = threading.Thread(target=work)
    thread.start()
    try:
        busy.wait()
        first = used(os.getpid())
        while (second := used(os.getpid())).ticks < first.ticks + 5:
            pass
    finally:
        stop.set()
        thread.join()
    assert first.workers == 1
    share = second.percent(first)
    assert share is not None
    assert 0 < share <= 150
    with pytest.raises(OSError):
        used(2**22 + 1)


def test_the_kernel_tells_who_answers_at_a_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        assert listener_of(tmp_path / "s") == os.getpid()
    with pytest.raises(OSError):
        listener_of(tmp_path / "none")


def test_what_the_resource_monitor_says_is_percent() -> None:
    text = "# TYPE a gauge\nenvoy_overload_envoy_resource_monitors_cpu_utilization_pressure{} 18\n"

    assert pressure(text) == 18.0
    assert pressure("") is None
