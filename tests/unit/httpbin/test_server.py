import http.client
import signal
import socket
import subprocess
import sys

import pytest

from mizzen.httpbin.server import listen, running, url_of

COMMAND = [sys.executable, "-W", "error", "-c", "from mizzen.cli.httpbin import command; command()", "--port"]


def test_port_0_takes_a_free_port_and_tells_it() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_ipv6_address_is_bracketed() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    with listen("::1", 0) as listener:
        assert url_of(listener).startswith("http://[::1]:")


def test_answers_do_not_wait_for_acknowledgements() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_may_run_at_once_and_one_ends_without_the_other() -> None:
    with running() as first:
        with running() as second:
            assert first != second
        connection = http.client.HTTPConnection(first.removeprefix("http://"), timeout=5)
        connection.request("GET", "/ip")
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_even_with_a_request_running(number: signal.Signals) -> None:
    process = subprocess.Popen([*COMMAND, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    first = process.stdout.readline()
    assert first.startswith("httpbin is listening on http://127.0.0.1:")
    connection = http.client.HTTPConnection(first.split("//")[1].strip(), timeout=5)
    connection.request("GET", "/drip?duration=10&numbytes=100")
    assert connection.getresponse().read(1) == b"*"

    process.send_signal(number)
    out, err = process.communicate(timeout=5)

    assert (process.returncode, out, err) == (0, "", "")
    connection.close()


def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_worth_a_word() -> None:
    process = subprocess.Popen([*COMMAND, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    host, _, port = process.stdout.readline().strip().rpartition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)  # answered after that one is gone
    connection.request("GET", "/delay/0.2")
    assert connection.getresponse().status == 200
    connection.close()

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=5)

    assert (process.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_an_error_and_no_traceback() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run([*COMMAND, str(port)], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert result.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
