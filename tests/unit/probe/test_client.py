"""Requests as values, and real ones to the test backend; TLS, HTTP/2 and HTTP/3 are proven end to end."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from mizzen.httpbin.server import listen, running
from mizzen.probe.client import Protocol, Received, Request, Session, fetch, fingerprint


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as url:
        yield urlsplit(url).port or 0


def plain(port: int, path: str, **rest: object) -> Request:
    fields = {"host": "127.0.0.1", "scheme": "http", "protocol": Protocol.H1, "port": port, "path": path}
    return Request(**(fields | rest))  # type: ignore[arg-type]


def test_the_url_leaves_out_the_schemes_own_port() -> None:
    assert Request(host="shop.example", path="/a?b").url == "https://shop.example/a?b"
    assert Request(host="shop.example", scheme="http", port=80).url == "http://shop.example/"
    assert Request(host="shop.example", port=8443).url == "https://shop.example:8443/"
    assert Request(host="2001:db8::1", port=8443).url == "https://[2001:db8::1]:8443/"


def test_an_address_is_a_resolution_and_another_port_a_detour() -> None:
    near = Request(host="shop.example", address="127.0.0.1")
    far = Request(host="shop.example", address="::1", connect_port=8443)

    assert (near.resolve, near.connect_to) == ("shop.example:443:127.0.0.1", "")
    assert (far.resolve, far.connect_to) == ("", "shop.example:443:[::1]:8443")


def test_without_an_address_the_resolver_is_asked() -> None:
    request = Request(host="shop.example")

    assert (request.resolve, request.connect_to) == ("", "")


def test_a_key_does_not_show() -> None:
    assert "SECRET" not in repr(Request(host="shop.example", client_key_pem="SECRET"))


def test_an_answer_is_whole(port: int) -> None:
    answer = fetch(plain(port, "/response-headers?X-A=1&X-A=2"))

    assert (answer.ok, answer.status, answer.reason, answer.protocol) == (True, 200, "OK", Protocol.H1)
    assert answer.all("X-A") == ("1", "2")
    assert (answer.header("x-a"), answer.header("x-b")) == ("1", "")
    assert answer.text == '{\n  "X-A": [\n    "1",\n    "2"\n  ]\n}\n'
    assert (answer.fingerprint, answer.chain) == ("", ())
    assert answer.timings.total >= answer.timings.first_byte > timedelta(0)


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("POST", b"x"), ("PUT", b""), ("DELETE", None), ("POST", None), ("GET", b"x")],
)
def test_the_method_and_the_body_arrive(port: int, method: str, body: bytes | None) -> None:
    text = fetch(plain(port, "/anything", method=method, body=body)).text

    assert f'"method": "{method}"' in text
    assert ('"x": ""' in text) == (body == b"x")


def test_head_has_no_body(port: int) -> None:
    answer = fetch(plain(port, "/get", method="HEAD"))

    assert (answer.status, answer.body, answer.error) == (200, b"", None)


def test_headers_arrive_even_empty_ones(port: int) -> None:
    text = fetch(plain(port, "/headers", headers=(("Host", "shop.example"), ("X-Empty", "")))).text

    assert '"Host": "shop.example"' in text
    assert '"X-Empty": ""' in text
    assert '"User-Agent": "curl/' in text


def test_a_session_keeps_its_connection_and_forgets_the_request(port: int) -> None:
    with Session() as session:
        first = session.fetch(plain(port, "/anything", method="POST", body=b"x"))
        second = session.fetch(plain(port, "/get"))

    assert (first.reused, second.reused) == (False, True)
    assert '"args": {}' in second.text


def test_a_closed_port_is_an_answer_with_an_error() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    answer = fetch(plain(port, "/"))

    assert (answer.ok, answer.status, answer.protocol) == (False, 0, None)
    assert answer.error
    assert (answer.error.code, answer.error.is_timeout) == (7, False)
    assert str(answer.error).endswith("(curl error 7)")


def test_a_timeout_is_an_answer_with_an_error() -> None:
    with listen("127.0.0.1", 0) as listener:  # it accepts, and nobody is there
        answer = fetch(plain(listener.getsockname()[1], "/", timeout=timedelta(milliseconds=20)))

    assert answer.error
    assert answer.error.is_timeout


def test_only_the_last_head_counts_and_trailers_stand_apart() -> None:
    received = Received()
    for line in (
        b"HTTP/1.1 103 Early Hints",
        b"link: a",
        b"",
        b"HTTP/2 200 ",
        b"a:  b ",
        b"",
        b"grpc-status: 0",
    ):
        received.head_line(line + b"\r\n")

    assert received.headers == [("a", "b")]
    assert received.trailers == [("grpc-status", "0")]
    assert received.reason == ""


def test_a_text_without_a_certificate_has_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="no PEM certificate"):
        fingerprint("-----BEGIN CERTIFICATE-----")
