import os
import resource
import signal
import subprocess
import time

from mizzen.node import process_facts


def test_a_process_is_seen_to_stand_still_and_to_work() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) as busy:
        try:
            before = process_facts.look(busy.pid).ticks
            deadline = time.monotonic() + 10
            while process_facts.look(busy.pid).ticks <= before:
                assert time.monotonic() < deadline
            assert not process_facts.look(busy.pid).is_stopped
            busy.send_signal(signal.SIGSTOP)
            while not process_facts.look(busy.pid).is_stopped:
                assert time.monotonic() < deadline
            assert not process_facts.look(busy.pid).is_traced
        finally:
            busy.kill()
    assert process_facts.look(busy.pid) == process_facts.Seen()


def test_descriptors_are_counted_against_their_limit() -> None:
    before = process_facts.descriptors(os.getpid())
    assert before is not None
    assert before.limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    extra = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    after = process_facts.descriptors(os.getpid())
    for descriptor in extra:
        os.close(descriptor)
    assert after is not None
    assert after.used == before.used + 10
    assert process_facts.Descriptors(used=90, limit=100).are_short
    assert not process_facts.Descriptors(used=89, limit=100).are_short
