from datetime import timedelta

import pytest

from mizzen.resources.formats import checks


@pytest.mark.parametrize("host", ["*", "foo", "a.b.com", "*.example.com", "*foo.com", "*-foo.com", "a.b."])
def test_wildcard_domains(host: str) -> None:
    assert checks.wildcard_domain(host) == ""


@pytest.mark.parametrize(
    "host", ["", "a.*.com", "a..b", "-a.b", "a_b.c", "a." * 130, "x" * 64, "a.b.80", "**.a"]
)
def test_what_is_no_wildcard_domain(host: str) -> None:
    assert checks.wildcard_domain(host)


def test_a_host_without_wildcard() -> None:
    assert checks.fqdn("a.example.com") == ""
    assert checks.fqdn("*.example.com")
    assert checks.fqdn("1.2.3.4")


@pytest.mark.parametrize("pattern", ["a.*b", "^/x/([^/]+)$", "(?i)foo", r"\d+", "a|b"])
def test_patterns_of_re2(pattern: str) -> None:
    assert checks.regex(pattern) == ""


@pytest.mark.parametrize("pattern", ["", "*", "?", "(", "(?=a)", r"(a)\1", "a" * 1025, "\ud800"])
def test_what_re2_does_not_take(pattern: str) -> None:
    assert checks.regex(pattern)


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("@request.auth.claims.key1", ("key1",)),
        ("@request.auth.claims.key1.KEY2", ("key1", "KEY2")),
        ("@request.auth.claims.key1-key2", ("key1-key2",)),
        ("@request.auth.claims[key1]", ("key1",)),
        ("@request.auth.claims[key1][key2]", ("key1", "key2")),
        ("@request.auth.claims[test-issuer-2@istio.io][key1]", ("test-issuer-2@istio.io", "key1")),
        ("@Request.Auth.Claims.a", ("a",)),
        ("@request.auth.claims.[key1]", ("[key1]",)),
        ("@request.auth.claims.a..b", None),
        ("@request.auth.claims.a.", None),
        ("@request.auth.claims", None),
        ("@request.auth.claims.", None),
        ("@request.auth.claims-abc", None),
        ("@request.auth.claims[key1", None),
        ("@request.auth.claims]key1", None),
        ("@request.auth.claimskey1", None),
        ("x-user", None),
    ],
)
def test_a_claim_is_told_from_a_header(name: str, claim: tuple[str, ...] | None) -> None:
    assert checks.claim_path(name) == claim


@pytest.mark.parametrize(
    "value", ["foo", "%HOSTNAME%", "100%%", "%REQ(X-A?:path):10%", "a\tb", "", "%PROTOCOL%%HOSTNAME%"]
)
def test_values_of_headers(value: str) -> None:
    assert checks.header_value(value) == ""


@pytest.mark.parametrize("value", ["abc%123", "%START_TIME%%", "%", "a\nb", "%REQ(x", "%REQ(x)"])
def test_what_is_no_value_of_a_header(value: str) -> None:
    assert checks.header_value(value)


def test_what_headers_can_carry_is_limited() -> None:
    assert checks.header_value("x" * 16_384) == checks.token("x" * 16_384) == ""
    assert checks.header_value("x" * 16_385) == "it has 16385 bytes; at most 16384 are allowed"
    assert checks.header_value("é" * 8_193)
    assert checks.token("x" * 16_385)
    assert checks.token("") == "a header must have a name"
    assert checks.plain("/a?b=c é") == checks.host_value("a.test:8443") == ""
    assert checks.plain("/a\x00")
    assert checks.host_value("a b")


def test_pins_are_sha_256() -> None:
    colons = ":".join(["aB"] * 32)
    assert checks.certificate_hash("0" * 64) == checks.certificate_hash(colons) == ""
    assert checks.certificate_spki("A" * 43 + "=") == ""
    for wrong in ("", "x", "0" * 63, "g" * 64, colons + ":00"):
        assert checks.certificate_hash(wrong)
    for wrong in ("", "x", "A" * 44, "A" * 42 + "=="):
        assert checks.certificate_spki(wrong)


def test_labels_have_kubernetes_syntax() -> None:
    assert checks.label("app.kubernetes.io/name", "a.b_c-d") == ""
    assert checks.label("app", "") == ""
    assert checks.label("", "x")
    assert checks.label("a/b/c", "x")
    assert checks.label("app", "a b")
    assert checks.label("-a", "x")


def test_durations_are_whole_milliseconds() -> None:
    assert checks.duration(timedelta(milliseconds=1)) == ""
    assert checks.duration(timedelta(0))
    assert checks.duration(timedelta(microseconds=1500))


def test_addresses_and_sockets() -> None:
    assert checks.subnet("10.0.0.0/8") == checks.subnet("10.1.2.3/8") == checks.subnet("::1") == ""
    assert checks.subnet("a/8")
    for none in (
        "fe80::1%eth0",
        "fe80::1%eth0/64",
        "1.2.3.0/255.255.255.0",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/٨",
    ):
        assert checks.subnet(none), none
    assert not checks.is_ip("fe80::1%eth0")
    assert checks.unix_path("unix:///var/run/x") == checks.unix_path("unix://@x") == ""
    assert checks.unix_path("unix://x")
    assert checks.unix_path("unix:///x/")


def test_which_host_covers_which() -> None:
    assert checks.covers("*", "a.com")
    assert checks.covers("*.com", "*.a.com")
    assert checks.covers("*.com", "a.com")
    assert not checks.covers("*.a.com", "a.com")
    assert not checks.covers("a.com", "*.com")
    assert not checks.covers("*.com", "*")
