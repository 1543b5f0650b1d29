"""Files with certificates of a CA, as a DestinationRule names them."""

from dataclasses import replace

import pytest

from mizzen.resolve.context import NamedFile
from mizzen.resolve.tls.named_files import content_of, fault_of, public_part

BLOCK = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = b"-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"
GATEWAY = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"


def good(_: bytes) -> str:
    return ""


@pytest.mark.parametrize(
    "path", ["/dev/zero", "/proc/kmsg", "relative.pem", "/etc/../dev/zero", "/a//b", "/a\0b"]
)
def test_some_paths_are_never_taken(gateway, path):
    assert not fault_of(gateway(GATEWAY).ctx, path, good)[1]


def test_where_files_are_is_not_known_envoy_reads_them(gateway):
    ctx = gateway(GATEWAY).ctx

    assert fault_of(ctx, "/etc/ca.pem", good) == ("", True)
    assert content_of(ctx, "/etc/ca.pem") == b""


def test_a_file_that_was_read_is_sent_without_what_is_secret(gateway):
    ctx = replace(gateway(GATEWAY).ctx, files={"/etc/ca.pem": NamedFile(content=b"text\n" + KEY + BLOCK)})

    assert fault_of(ctx, "/etc/ca.pem", good) == ("", True)
    assert content_of(ctx, "/etc/ca.pem") == BLOCK
    assert public_part(KEY) == b""


def test_what_is_wrong_with_a_file_is_said(gateway):
    files = {
        "/none": NamedFile(why="no such file"),
        "/bad": NamedFile(content=b"x"),
        "/gone": NamedFile(content=BLOCK, why="no such file"),
    }
    ctx = replace(gateway(GATEWAY).ctx, files=files)

    assert fault_of(ctx, "/none", good) == ("/none cannot be used: no such file", False)
    assert fault_of(ctx, "/bad", lambda _: "no PEM") == ("/bad cannot be used: no PEM", False)
    assert fault_of(ctx, "/gone", good) == ("/gone cannot be read any more: no such file", True)
    assert fault_of(ctx, "/other", good) == ("/other cannot be used: it has not been read", False)
