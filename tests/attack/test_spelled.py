"""Whatever spelling of a host or path reaches the backend has met the rules of that host and path."""

import posixpath
from urllib.parse import unquote

import pytest
from attacked_site import PLAIN_PORT, PORT, PROTOCOLS, SECRET, WWW, Site

from tests.harness.clients import curl
from tests.harness.raw_clients import Raw, ask

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

HOSTS = ["{}", "{}:443", "{}:8443", "{}:", "{}.", "{}.:443", "{upper}", "{upper}:8443", "{title}"]
PATHS = [
    "/admin", "/admin/", "/admin/x", "/admin?x=1", "/admin/?x", "/./admin", "/x/../admin", "/x/%2e%2e/admin",
    "/%61dmin", "/%61%64%6d%69%6e/x", "/admin/%2e", "/admin/.", "/admin/x/..", "/admin/%2e%2e/admin",
    "/x/.%2e/admin", "/%2e/admin", "/admin/x%3f", "/admin/x;y", "/admin/..;/x", "/admin#x",
    "/admin/#", "/admin/%00", "/admin\\x", "/x\\..\\admin", "/admin/%5c..", "/admin%3fx", "/admin%23x",
]  # fmt: skip
# Not among them: %2f, which stays what it is unless the mesh says otherwise (pathNormalization), as in Istio.


def reaches_admin(target: str) -> bool:
    """Would a usual backend take this for /admin or something below it? Decoded once, segments resolved."""
    path = unquote(target.partition("?")[0].partition("#")[0])
    resolved = posixpath.normpath(path)
    return resolved == "/admin" or resolved.startswith("/admin/")


def spelled(pattern: str, host: str) -> str:
    return pattern.format(host, upper=host.upper(), title=host.title())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_host_is_refused_however_it_is_spelled(site: Site, protocol: str) -> None:
    for pattern in HOSTS:
        answer = site.ask(protocol, spelled(pattern, SECRET), sni=WWW)
        assert (answer.error, answer.status in (400, 403, 421)) == (None, True), (pattern, answer.status)
    assert site.backend.take() == []


def test_a_host_is_refused_on_the_plain_port_too(site: Site) -> None:
    for pattern in [*HOSTS, "{}:8080", "{}:80"]:
        headers = {"Host": spelled(pattern, SECRET)}
        answer = curl("h1", f"http://{SECRET}:{PLAIN_PORT}/", headers=headers)
        assert (answer.error, answer.status in (400, 403)) == (None, True), (pattern, answer.status)
    assert site.backend.take() == []


@pytest.mark.parametrize("pattern", HOSTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_path_is_refused_however_it_is_spelled(site: Site, protocol: str, pattern: str) -> None:
    """As bytes on the wire: libcurl would resolve dots and leave fragments out."""
    host = spelled(pattern, WWW).encode()
    paths = PATHS if pattern in ("{}", "{}:8443") else PATHS[:8]
    ask(protocol, PORT, WWW, [Raw(host=host, path=path.encode()) for path in paths])
    reached = [seen.target for seen in site.backend.take() if reaches_admin(seen.target)]
    assert reached == [], pattern


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_header_value_is_refused_with_blanks_around_it(site: Site, protocol: str) -> None:
    values = [b"evil", b" evil", b"evil ", b"\tevil\t", b" \t evil"]
    requests = [Raw(host=WWW.encode(), headers=((b"x-role", value),)) for value in values]
    answers = ask(protocol, PORT, WWW, requests)
    assert [got for got in answers if got.status != 403 and not (got.is_reset and protocol != "h1")] == []
    assert site.backend.take() == []
