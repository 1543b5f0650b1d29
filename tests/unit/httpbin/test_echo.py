import json

from mizzen.httpbin.echo import Seen, as_json, as_text, body_view, grouped, request_view, shown_headers


def seen(**changes: object) -> Seen:
    fields: dict[str, object] = {
        "method": "GET",
        "scheme": "http",
        "path": "/get",
        "query": "",
        "headers": (("host", "shop.example"),),
        "peer": "192.0.2.1",
    }
    return Seen(**(fields | changes))  # type: ignore[arg-type]


def with_type(content_type: str) -> Seen:
    return seen(method="POST", headers=(("content-type", content_type),))


def test_header_names_are_written_as_httpbin_writes_them() -> None:
    shown = shown_headers([("x-forwarded-client-cert", "By=a"), ("x-b3-traceid", "1"), ("host", "h")])

    assert shown == {"X-Forwarded-Client-Cert": "By=a", "X-B3-Traceid": "1", "Host": "h"}


def test_a_header_that_came_twice_is_shown_whole() -> None:
    assert shown_headers([("accept", "a"), ("accept", "b")]) == {"Accept": "a,b"}


def test_a_parameter_that_came_twice_is_a_list() -> None:
    assert grouped([("a", "1"), ("b", ""), ("a", "2")]) == {"a": ["1", "2"], "b": ""}


def test_the_url_is_the_one_the_client_asked_the_proxy_for() -> None:
    headers = (("host", "shop.example"), ("x-forwarded-proto", "https"), ("x-forwarded-for", "198.51.100.7"))
    view = request_view(seen(path="/a%2Fb", query="x=1", headers=headers))

    assert view["url"] == "https://shop.example/a%2Fb?x=1"
    assert view["origin"] == "198.51.100.7"
    assert view["args"] == {"x": "1"}


def test_without_a_proxy_the_origin_is_the_peer() -> None:
    assert request_view(seen())["origin"] == "192.0.2.1"


def test_a_json_body_is_shown_as_text_and_parsed() -> None:
    view = body_view(with_type("application/json"), b'{"a": [1]}')

    assert view == {"data": '{"a": [1]}', "files": {}, "form": {}, "json": {"a": [1]}}


def test_a_body_that_is_no_json_has_none() -> None:
    assert body_view(with_type("text/plain"), b"hello")["json"] is None


def test_an_urlencoded_form_is_taken_apart() -> None:
    view = body_view(with_type("application/x-www-form-urlencoded; charset=utf-8"), b"a=1&a=2&b=x+y")

    assert view == {"data": "", "files": {}, "form": {"a": ["1", "2"], "b": "x y"}, "json": None}


def test_a_multipart_form_has_fields_and_files() -> None:
    body = (
        b'--cut\r\nContent-Disposition: form-data; name="z"\r\n\r\n1\r\n'
        b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\r\n--cut--\r\n"
    )
    view = body_view(with_type("multipart/form-data; boundary=cut"), body)

    assert view["form"] == {"z": "1"}
    assert view["files"] == {"f": "hello"}


def test_a_body_that_is_no_text_becomes_a_data_url() -> None:
    assert as_text(b"\xff", "") == "data:application/octet-stream;base64,/w=="


def test_json_is_sorted_indented_and_ends_with_a_newline() -> None:
    assert as_json({"b": 1, "a": {}}) == b'{\n  "a": {},\n  "b": 1\n}\n'
    assert json.loads(as_json({"é": "ü"})) == {"é": "ü"}
