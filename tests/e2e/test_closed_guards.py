"""A policy that goes wrong while it holds goes on holding; after a restart, what it guards is closed."""

from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, eventually, replace_file

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443"
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: files, namespace: istio-system}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: ["/files/{**}", "/tenants/{*}/orders"]}}]}]
"""
BROKEN = {
    "a bad template": POLICY.replace("/files/{**}", "/files/{**}/{**}"),
    "a key that stands twice": POLICY.replace("action: DENY", "action: DENY\n  action: ALLOW"),
    "no YAML": POLICY.replace("rules: [", "rules: [" * 2),
    "an unknown action": POLICY.replace("DENY", "DENNY"),
}


def errors(up: gateway.Up) -> list[str]:
    return [one["message"] for one in up.status()["problems"] if one["severity"] == "error"]


def test_a_policy_that_goes_wrong_never_opens(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "rest.yaml").write_text(gateway.gateway() + "---\n" + gateway.route())
    path = folder / "policy.yaml"
    path.write_text(POLICY)

    def status(path: str) -> int:
        return curl("h3", f"{URL}{path}", ca_pem=authority.pem).status

    with gateway.up(folder) as up:
        assert [status(one) for one in ("/files/a", "/tenants/a=b/orders", "/a")] == [403, 403, 200]
        for what, text in BROKEN.items():
            replace_file(path, text)
            eventually(lambda: errors(up))
            assert [status(one) for one in ("/files/a", "/a")] == [403, 200], what
            replace_file(path, POLICY)
            eventually(lambda: not errors(up))

    replace_file(path, BROKEN["no YAML"])  # of the others cases tell (tests/cases/access)
    with gateway.up(folder):
        assert [status(one) for one in ("/files/a", "/tenants/a=b/orders")] == [403, 403]
