from datetime import timedelta

import pytest

from mizzen.probe.client import USER_AGENT, Answer, Failure, Protocol, Request, Timings
from mizzen.probe.conversation import answer_text, conversation, curl_command

NO_TIME = Timings(connect=timedelta(0), tls=timedelta(0), first_byte=timedelta(0), total=timedelta(0))
SHOP = Request(host="shop.example", port=8443, path="/headers", protocol=Protocol.H3, address="127.0.0.1")


def changed(**fields: object) -> Request:
    known = {name: getattr(SHOP, name) for name in ("host", "port", "path", "protocol", "address")}
    return Request(**(known | fields))


def test_the_command_is_the_one_a_user_would_type() -> None:
    assert curl_command(SHOP, ca_file="ca.crt") == (
        "curl --http3-only --resolve shop.example:8443:127.0.0.1 --cacert ca.crt "
        "https://shop.example:8443/headers"
    )


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"protocol": Protocol.H1}, "curl --http1.1 "),
        ({"protocol": Protocol.H2}, "curl --http2 "),
        ({"protocol": Protocol.H2, "scheme": "http"}, "curl --http2-prior-knowledge "),
        ({"connect_port": 443}, " --connect-to shop.example:8443:127.0.0.1:443 "),
        ({"verify": False}, " --insecure "),
        ({"method": "HEAD"}, " --head "),
        ({"method": "PUT", "body": b"a b"}, " --request PUT --data-binary 'a b' "),
        ({"body": b"x", "method": "POST"}, "127.0.0.1 --data-binary x "),
        ({"headers": (("X-A", "it's"), ("X-B", ""))}, """ --header 'X-A: it'"'"'s' --header 'X-B;' """),
        ({"path": "/?a=1&b=2"}, " 'https://shop.example:8443/?a=1&b=2'"),
    ],
)
def test_the_command_carries_what_the_request_has(fields: dict[str, object], part: str) -> None:
    assert part in curl_command(changed(**fields)) + " "


def test_the_command_names_the_files_of_a_client_certificate() -> None:
    command = curl_command(SHOP, ca_file="ca.crt", cert_file="client.crt", key_file="client.key")

    assert " --cacert ca.crt --cert client.crt --key client.key " in command


def test_a_conversation_is_request_head_and_body() -> None:
    answer = Answer(
        status=200,
        protocol=Protocol.H3,
        headers=(("server", "istio-envoy"), ("alt-svc", 'h3=":443"; ma=86400')),
        body=b"{}\n",
        timings=NO_TIME,
    )

    assert conversation(SHOP, answer) == (
        "> GET /headers HTTP/3\n"
        "> Host: shop.example:8443\n"
        f"> User-Agent: {USER_AGENT}\n"
        "> Accept: */*\n"
        ">\n"
        "HTTP/3 200\n"
        "server: istio-envoy\n"
        'alt-svc: h3=":443"; ma=86400\n'
        "\n"
        "{}\n"
    )


def test_headers_of_the_users_replace_curls_own() -> None:
    request = Request(host="shop.example", headers=(("host", "other"), ("User-Agent", "me")))
    answer = Answer(timings=NO_TIME)

    assert (
        conversation(request, answer) == "> GET / HTTP/2\n> Accept: */*\n> host: other\n> User-Agent: me\n>\n"
    )


def test_an_error_ends_the_answer_as_curl_ends_it() -> None:
    half = Answer(
        status=200, reason="OK", protocol=Protocol.H1, body=b"ha", timings=NO_TIME, error=Failure(18, "cut")
    )

    assert answer_text(half) == "HTTP/1.1 200 OK\n\nha\ncurl: (18) cut\n"
    assert answer_text(Answer(timings=NO_TIME, error=Failure(7, "no"))) == "curl: (7) no\n"
