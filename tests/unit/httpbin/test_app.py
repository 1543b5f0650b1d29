"""The routes, asked over a real connection."""

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.sync.client import connect

from mizzen.httpbin.app import chosen_status
from mizzen.httpbin.server import running


@dataclass
class Got:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.address, timeout=5)

    def __call__(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Got:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        answer = self.connection.getresponse()
        return Got(answer.status, answer.headers, answer.read())


@pytest.fixture(scope="module")
def ask() -> Iterator[Browser]:
    with running() as url:
        browser = Browser(url)
        yield browser
        browser.connection.close()


def test_headers_hides_nothing(ask: Browser) -> None:
    got = ask(
        "/headers", x_forwarded_client_cert="By=a", x_envoy_attempt_count="1", x_forwarded_for="1.2.3.4"
    )

    assert got.json == {
        "headers": {
            "Accept-Encoding": "identity",
            "Host": ask.address,
            "X-Envoy-Attempt-Count": "1",
            "X-Forwarded-Client-Cert": "By=a",
            "X-Forwarded-For": "1.2.3.4",
        }
    }


def test_a_plain_answer_has_httpbins_headers(ask: Browser) -> None:
    got = ask("/headers")

    assert got.headers["content-type"] == "application/json"
    assert got.headers["content-length"] == str(len(got.body))
    assert got.headers["access-control-allow-origin"] == "*"
    assert got.headers["access-control-allow-credentials"] == "true"
    assert got.headers.get_all("server") == ["mizzen-httpbin"]
    assert len(got.headers.get_all("date") or []) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_comes_back(ask: Browser, method: str) -> None:
    got = ask(f"/{method.lower()}?a=1", method, b'{"b": 2}', content_type="application/json").json

    assert set(got) == {"args", "data", "files", "form", "headers", "json", "origin", "url"}
    assert (got["args"], got["json"]) == ({"a": "1"}, {"b": 2})


def test_a_body_may_come_in_chunks_of_unknown_number(ask: Browser) -> None:
    got = ask("/post", "POST", iter([b"one ", b"two"]), content_type="text/plain").json

    assert got["data"] == "one two"
    assert got["headers"]["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_anything_says_what_was_asked_for_below_any_path(ask: Browser, method: str) -> None:
    got = ask("/anything/a%2Fb/c?x=1&x=2", method).json

    assert got["method"] == method
    assert got["url"] == f"http://{ask.address}/anything/a%2Fb/c?x=1&x=2"
    assert got["args"] == {"x": ["1", "2"]}


def test_get_has_no_body_part(ask: Browser) -> None:
    assert set(ask("/get").json) == {"args", "headers", "origin", "url"}


def test_head_is_answered_without_a_body(ask: Browser) -> None:
    got = ask("/get", "HEAD")

    assert (got.status, got.body) == (200, b"")


@pytest.mark.parametrize("code", [200, 204, 301, 401, 404, 418, 503])
def test_status_is_the_one_asked_for(ask: Browser, code: int) -> None:
    assert ask(f"/status/{code}").status == code


@pytest.mark.parametrize("wrong", ["99", "600", "x", "200,", "200:x"])
def test_a_status_that_is_none_is_refused(ask: Browser, wrong: str) -> None:
    assert ask(f"/status/{wrong}").status == 400


def test_one_of_several_statuses_is_chosen_by_weight() -> None:
    assert {chosen_status("200,503") for _ in range(100)} == {200, 503}
    assert chosen_status("200:0,503:1") == 503


def test_a_delay_of_no_time_answers_like_anything(ask: Browser) -> None:
    assert ask("/delay/0.0").json["method"] == "GET"


@pytest.mark.parametrize("path", ["/delay/x", "/delay/nan", "/delay/-1", "/bytes/x", "/drip?numbytes=x"])
def test_a_number_that_is_none_is_refused(ask: Browser, path: str) -> None:
    assert ask(path).status == 400


def test_stream_sends_lines(ask: Browser) -> None:
    got = ask("/stream/3")

    assert got.headers["transfer-encoding"] == "chunked"
    assert [json.loads(line)["id"] for line in got.body.splitlines()] == [0, 1, 2]


def test_bytes_are_as_many_as_asked_and_the_same_for_one_seed(ask: Browser) -> None:
    whole, again = ask("/bytes/1000?seed=7"), ask("/stream-bytes/1000?seed=7&chunk_size=10")

    assert len(whole.body) == 1000
    assert whole.body == again.body
    assert ask("/bytes/1000?seed=8").body != whole.body


def test_events_come_one_by_one(ask: Browser) -> None:
    ask.connection.request("GET", "/sse?count=2&duration=10")
    answer = ask.connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    first = b"".join(iter(answer.fp.readline, b"\r\n"))  # a chunk; the second event comes in ten seconds
    assert b'event: ping\nid: 0\ndata: {"id": 0}\n\n' in first
    ask.connection.close()


def test_no_more_events_come_than_were_asked_for(ask: Browser) -> None:
    assert ask("/sse?count=3&duration=0").body.count(b"event: ping\n") == 3
    assert ask("/sse?count=0").body == b""


def test_drip_sends_its_bytes(ask: Browser) -> None:
    got = ask("/drip?duration=0&numbytes=5&code=201")

    assert (got.status, got.body, got.headers["content-length"]) == (201, b"*****", "5")


def test_redirects_count_down(ask: Browser) -> None:
    assert ask("/redirect/3").headers["location"] == "/redirect/2"
    assert ask("/redirect/1").headers["location"] == "/get"


def test_redirect_to_goes_where_it_is_told(ask: Browser) -> None:
    got = ask("/redirect-to?url=https%3A%2F%2Fshop.example%2F&status_code=307")

    assert (got.status, got.headers["location"]) == (307, "https://shop.example/")
    assert ask("/redirect-to").status == 400


def test_response_headers_are_the_ones_asked_for(ask: Browser) -> None:
    got = ask("/response-headers?X-A=b&X-A=c&Content-Type=text/plain")

    assert got.headers.get_all("x-a") == ["b", "c"]
    assert got.headers.get_all("content-type") == ["text/plain"]
    assert got.json == {"X-A": ["b", "c"], "Content-Type": "text/plain"}
    assert ask("/response-headers?a=b%0Ac").status == 400
    assert ask("/response-headers?a%0A=b").status == 400
    assert ask("/response-headers?content-length=1").json == {"content-length": "1"}


def test_who_asks_is_shown(ask: Browser) -> None:
    assert ask("/ip", x_forwarded_for="1.2.3.4").json == {"origin": "1.2.3.4"}
    assert ask("/user-agent", user_agent="me").json == {"user-agent": "me"}
    assert len(ask("/uuid").json["uuid"]) == 36


def test_compressed_answers_unpack(ask: Browser) -> None:
    assert json.loads(gzip.decompress(ask("/gzip").body))["gzipped"] is True
    assert json.loads(zlib.decompress(ask("/deflate").body))["deflated"] is True


def test_cookies_are_shown_set_and_deleted(ask: Browser) -> None:
    assert ask("/cookies", cookie="a=1; b=2").json == {"cookies": {"a": "1", "b": "2"}}
    assert ask("/cookies/set?a=1").headers["set-cookie"] == "a=1; Path=/"
    assert ask("/cookies/set/a/1").headers["set-cookie"] == "a=1; Path=/"
    assert "Max-Age=0" in ask("/cookies/delete?a").headers.get("set-cookie", "Max-Age=0")


def test_a_validator_brings_304(ask: Browser) -> None:
    assert ask("/cache").headers["etag"]
    assert ask("/cache", if_none_match='"x"').status == 304
    assert ask("/cache/60").headers["cache-control"] == "public, max-age=60"


def test_a_preflight_is_answered_for_every_path(ask: Browser) -> None:
    got = ask("/anything", "OPTIONS", origin="https://a.example", access_control_request_headers="x-a")

    assert got.status == 200
    assert got.headers["access-control-allow-origin"] == "https://a.example"
    assert got.headers["access-control-allow-headers"] == "x-a"


def test_what_is_not_there_is_404_with_the_same_headers(ask: Browser) -> None:
    got = ask("/nope")

    assert (got.status, got.headers["access-control-allow-origin"]) == (404, "*")


def test_pages_are_html(ask: Browser) -> None:
    assert b"/headers" in ask("/").body
    assert ask("/html").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/websocket/echo", "/ws"])
def test_websocket_messages_come_back_as_they_were(ask: Browser, path: str) -> None:
    with connect(f"ws://{ask.address}{path}", subprotocols=["a", "b"], proxy=None) as socket:  # type: ignore[list-item]
        socket.send("text")
        assert socket.recv(timeout=5) == "text"
        socket.send(b"\x00\xff")
        assert socket.recv(timeout=5) == b"\x00\xff"
        assert socket.subprotocol == "a"
