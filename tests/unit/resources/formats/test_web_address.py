"""Addresses that may be asked for keys, and those that may not."""

import pytest

from mizzen.resources.formats.web_address import fault, host_and_port


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9099/certs", ("127.0.0.1", 9099)),
        ("https://id.test/a?b=c", ("id.test", 443)),
        ("http://[::1]/", ("::1", 80)),
    ],
)
def test_good_ones(url, expected):
    assert fault(url) == ""
    assert host_and_port(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.test/keys",
        "file:///etc/passwd",
        "unix:///run/x.sock",
        "gopher://id.test/",
        "http:///keys",
        "http://user:word@id.test/",
        "http://id.test:0/",
        "http://id.test:99999/",
        "http://id.test:x/",
        "http://[::1/",
        "http://id.test/a b",
        "http://id.test/\r\nhost: x",
        "http://é.test/",
        "http://id.test/" + "a" * 3000,
    ],
)
def test_bad_ones(url):
    assert fault(url)
