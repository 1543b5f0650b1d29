"""An odd request over HTTP/3 costs its own stream; the others on its connection are answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority
from tests.harness.h3_raw import Outcome, RawRequest, converse, plain

pytestmark = pytest.mark.e2e

CURL_H2_MOST = 64 * 1024  # bytes of headers that libcurl can send over HTTP/2 (nghttp2's own limit)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, authority: Authority, httpbin: int) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("yaml")
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder):
        yield


def between_others(request: RawRequest, authority: Authority) -> Outcome:
    """What becomes of `request`, and that those before and after it on its connection are answered."""
    before, odd, after = converse(
        HOST, 8443, [plain(HOST, "/get"), request, plain(HOST, "/headers")], ca_pem=authority.pem
    )
    assert (before.status, after.status) == (200, 200)
    assert (before.closed, odd.closed, after.closed) == (None, None, None)
    return odd


def raw(*headers: tuple[bytes, bytes], body: bytes = b"") -> RawRequest:
    return RawRequest(headers=headers, body=body)


METHOD, SCHEME, PATH = (b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/get")
AUTHORITY = (b":authority", HOST.encode())

# RFC 9114 sections 4.1.2, 4.2, 4.3: malformed requests.
MALFORMED = {
    "a connection header": plain(HOST, "/get", (b"connection", b"close")),
    "keep-alive": plain(HOST, "/get", (b"keep-alive", b"timeout=5")),
    "proxy-connection": plain(HOST, "/get", (b"proxy-connection", b"close")),
    "te other than trailers": plain(HOST, "/get", (b"te", b"gzip")),
    "transfer-encoding": plain(HOST, "/get", (b"transfer-encoding", b"chunked")),
    "upgrade": plain(HOST, "/get", (b"upgrade", b"h2c")),
    "a name in capitals": plain(HOST, "/get", (b"X-User", b"1")),
    "a slash in a name": plain(HOST, "/get", (b"x/user", b"1")),
    "a newline in a value": plain(HOST, "/get", (b"x-user", b"a\r\nx-admin: 1")),
    "a NUL in a value": plain(HOST, "/get", (b"x-user", b"a\0b")),
    "a host that differs": plain(HOST, "/get", (b"host", b"other.test")),
    "a host alone": raw(METHOD, SCHEME, PATH, (b"host", HOST.encode())),
    "no authority": raw(METHOD, SCHEME, PATH),
    "two authorities": raw(METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH),
    "no method": raw(SCHEME, AUTHORITY, PATH),
    "no path": raw(METHOD, SCHEME, AUTHORITY),
    "no scheme": raw(METHOD, AUTHORITY, PATH),
    "an empty path": plain(HOST, ""),
    "a pseudo-header nobody knows": plain(HOST, "/get", (b":user", b"1")),
    "a pseudo-header of answers": plain(HOST, "/get", (b":status", b"200")),
    "a pseudo-header after others": raw(METHOD, SCHEME, (b"x-user", b"1"), AUTHORITY, PATH),
    "two lengths": raw(
        *plain(HOST, "/post", (b"content-length", b"2"), (b"content-length", b"3"), method="POST").headers,
        body=b"ab",
    ),
    "a length that is not": raw(
        *plain(HOST, "/post", (b"content-length", b"-2"), method="POST").headers, body=b"ab"
    ),
    "less than its length": raw(
        *plain(HOST, "/post", (b"content-length", b"5"), method="POST").headers, body=b"ab"
    ),
    "a blank in its host": plain("sh op.test", "/get"),
}


@pytest.mark.parametrize("odd", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.usefixtures("site")
def test_a_malformed_request_costs_its_own_stream(odd: RawRequest, authority: Authority) -> None:
    outcome = between_others(odd, authority)

    assert outcome.reset is not None or outcome.status in range(400, 500)
    assert b'"url"' not in outcome.body  # the backend has not answered it


@pytest.mark.usefixtures("site")
def test_the_same_host_beside_the_authority_reaches_nobody(authority: Authority) -> None:
    """Envoy joins the two ("x,x"), which is no host; over HTTP/2 it drops the header."""
    outcome = between_others(plain(HOST, "/get", (b"host", HOST.encode())), authority)

    assert outcome.status == 400


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("value", ["café.pdf".encode(), b"caf\xe9.pdf"], ids=["utf-8", "latin-1"])
def test_bytes_above_127_in_a_value_come_as_they_are(value: bytes, authority: Authority) -> None:
    outcome = between_others(plain(HOST, "/headers", (b"x-file-name", value)), authority)

    assert outcome.status == 200
    assert value.decode("latin-1").encode("unicode-escape").replace(b"\\x", b"\\u00") in outcome.body


def large() -> dict[str, dict[str, str]]:
    """Headers beyond the limits of 60 KiB and 100 headers."""
    return {
        "one of 62 KiB": {"x-large": "a" * 62 * 1024},
        "70 KiB in two": {"x-large": "a" * 35 * 1024, "x-larger": "a" * 35 * 1024},
        "110 small ones": {f"x-{number}": "1" for number in range(110)},
    }


@pytest.mark.parametrize("headers", large().values(), ids=large().keys())
@pytest.mark.usefixtures("site")
def test_headers_beyond_the_limits_are_answered_431(headers: dict[str, str], authority: Authority) -> None:
    raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    outcome = between_others(plain(HOST, "/get", *raw_headers), authority)

    assert outcome.status == 431
    assert outcome.headers["alt-svc"]
    for protocol in ("h1", "h2", "h3"):
        if protocol == "h2" and sum(map(len, headers.values())) > CURL_H2_MOST:
            continue
        answer = curl(protocol, f"https://{HOST}:8443/get", ca_pem=authority.pem, headers=headers)
        assert (answer.error, answer.status) == (None, 431), protocol


@pytest.mark.usefixtures("site")
def test_headers_within_the_limits_pass(authority: Authority) -> None:
    headers = {f"x-{number}": "a" * 600 for number in range(96)}  # 57 KiB, and libcurl adds two
    for protocol in ("h1", "h2", "h3"):
        answer = curl(protocol, f"https://{HOST}:8443/status/204", ca_pem=authority.pem, headers=headers)
        assert (answer.error, answer.status) == (None, 204), protocol
