"""Who would rather not pay for 431 on every protocol leaves header limits to Envoy's codecs; rules of access still hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/"
LARGE = {"x-large": "a" * 61 * 1024}
MANY = {f"x-{number}": "1" for number in range(150)}
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {hosts: [closed.test]}}]}]}
"""


@pytest.fixture(name="site")
def running(folder: Path, authority: Authority) -> Iterator[gateway.Up]:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway("*"))
    (folder / "route.yaml").write_text(gateway.route("*"))
    (folder / "policy.yaml").write_text(POLICY)
    with gateway.up(folder, environment={"MIZZEN_HEADER_LIMITS": "codec"}) as up:
        yield up


@pytest.mark.usefixtures("site")
def test_codecs_refuse_what_is_too_large(authority: Authority) -> None:
    for headers in (LARGE, MANY):
        answers = {
            protocol: curl(protocol, URL, ca_pem=authority.pem, headers=headers)
            for protocol in ("h1", "h2", "h3")
        }
        assert (answers["h1"].error, answers["h1"].status) == (None, 431)
        assert answers["h2"].error is not None
        assert answers["h3"].error is not None
    for protocol in ("h1", "h2", "h3"):
        assert curl(protocol, URL, ca_pem=authority.pem).status == 200


@pytest.mark.usefixtures("site")
def test_rules_hold_for_hosts_that_are_none(authority: Authority) -> None:
    for protocol in ("h1", "h2", "h3"):
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
