"""How large headers may be: 431 beyond the limits whatever the protocol, other limits by a switch, and codecs that judge alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority
from tests.harness.raw_clients import Raw, ask

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/"
PROTOCOLS = ("h1", "h2", "h3")
LARGE = {"x-large": "a" * 61 * 1024}
MANY = {f"x-{number}": "1" for number in range(150)}
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {hosts: [closed.test]}}]}]}
"""
QPACK_MOST = 60_000  # bytes of a value that aioquic's encoder takes


def site(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway("*"))
    (folder / "route.yaml").write_text(gateway.route("*"))


def sized(kib: int, parts: int = 1) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"x-%d" % part, b"a" * (kib * 1024 // parts)) for part in range(parts))


def many(count: int) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"x-%d" % number, b"1") for number in range(count))


def answers(wanted: Mapping[str, tuple[tuple[tuple[bytes, bytes], ...], int]]) -> None:
    """Each is answered so, and a request after it on the same connection is answered 200."""
    for protocol in PROTOCOLS:
        for name, (headers, status) in wanted.items():
            if protocol == "h3" and any(len(value) > QPACK_MOST for _, value in headers):
                continue
            asked, after = ask(protocol, 8443, HOST, [Raw(headers=headers), Raw()])
            assert (asked.status, after.status) == (status, 200), f"{name} over {protocol}"


def test_what_fits_256_kib_is_answered_and_never_reset(folder: Path, authority: Authority) -> None:
    site(folder, authority)
    with gateway.up(folder):
        answers(
            {
                "58 KiB": (sized(58), 200),
                "62 KiB in one": (sized(62), 431),
                "70 KiB in seven": (sized(70, 7), 431),
                "250 KiB in one": (sized(250), 431),
                "240 KiB in ten": (sized(240, 10), 431),
                "96 headers": (many(96), 200),
                "110 headers": (many(110), 431),
                "900 headers": (many(900), 431),
            }
        )


def test_other_limits_hold_alike_for_every_protocol(folder: Path, authority: Authority) -> None:
    site(folder, authority)
    switches = {"MIZZEN_MAX_REQUEST_HEADERS_KB": "300", "MIZZEN_MAX_REQUEST_HEADERS_COUNT": "1500"}
    with gateway.up(folder, environment=switches):
        answers(
            {
                "62 KiB in one": (sized(62), 200),
                "290 KiB in ten": (sized(290, 10), 200),
                "900 headers": (many(900), 200),
                "1,520 headers": (many(1520), 431),
            }
        )


def test_codecs_that_judge_alone_refuse_and_rules_still_hold(folder: Path, authority: Authority) -> None:
    site(folder, authority)
    (folder / "policy.yaml").write_text(POLICY)
    with gateway.up(folder, environment={"MIZZEN_HEADER_LIMITS": "codec"}):
        for headers in (LARGE, MANY):
            seen = {
                protocol: curl(protocol, URL, ca_pem=authority.pem, headers=headers) for protocol in PROTOCOLS
            }
            assert (seen["h1"].error, seen["h1"].status) == (None, 431)
            assert seen["h2"].error is not None
            assert seen["h3"].error is not None
        for protocol in PROTOCOLS:
            assert curl(protocol, URL, ca_pem=authority.pem).status == 200
            asked = {
                host: curl(protocol, URL, ca_pem=authority.pem, headers={"Host": host}).status
                for host in ("open.test", "closed.test", "closed.test,closed.test", "closed.test..")
            }
            assert asked == {
                "open.test": 200,
                "closed.test": 403,
                "closed.test,closed.test": 400,
                "closed.test..": 400,
            }, protocol
