"""WasmPlugins from files and scripts in Lua: run for requests by each protocol, changed while they run, and closed where
Envoy does not take them."""

import hashlib
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority, eventually
from tests.harness.small_wasm import answering, trapping, unsound

pytestmark = pytest.mark.e2e

PLUGIN = """
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: guard, namespace: istio-system}}
spec: {{url: "file://{path}", phase: AUTHN, pluginConfig: {{a: 1}}, match: [{{ports: [{{number: {port}}}]}}]}}
"""
SCRIPT = """
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: script, namespace: istio-system}
spec:
  lua:
    inlineCode: |
      function envoy_on_response(handle)
        handle:headers():add("x-script", "yes")
      end
"""


def test_plugins_meet_requests_by_each_protocol(folder: Path, authority: Authority, tmp_path: Path) -> None:
    module = tmp_path / "guard.wasm"
    gateway.replace_file(
        folder / "site.yaml",
        "---\n".join((gateway.secret("shop-tls", authority.server()), gateway.gateway(), gateway.route())),
    )
    gateway.replace_file(folder / "script.yaml", SCRIPT)

    def statuses() -> set[tuple[int, str]]:
        answers = (
            curl(protocol, f"https://{gateway.HOST}/", ca_pem=authority.pem, connect_port=8443)
            for protocol in ("h1", "h2", "h3")
        )
        return {(answer.status, answer.header("x-script") or "") for answer in answers}

    with gateway.up(folder):
        eventually(lambda: statuses() == {(200, "yes")})
        module.write_bytes(answering(418))
        (folder / "plugin.yaml").write_text(PLUGIN.format(path=module, port=443))
        eventually(lambda: statuses() == {(418, "yes")})
        # Another module in the same file is another plugin.
        gateway.replace_file(module, "no module")
        eventually(lambda: {status for status, _ in statuses()} == {503})
        module.write_bytes(answering(419))
        eventually(lambda: {status for status, _ in statuses()} == {419})
        # Where it is for another port, requests pass it by.
        gateway.replace_file(folder / "plugin.yaml", PLUGIN.format(path=module, port=80))
        eventually(lambda: statuses() == {(200, "yes")})
        # What Envoy does not take costs what it is for, and nobody else; and comes back when it is mended.
        (folder / "plugin.yaml").unlink()
        module.write_bytes(unsound())
        other = PLUGIN.replace("name: guard", "name: other")
        (folder / "other.yaml").write_text(other.format(path=module, port=443))
        eventually(lambda: {status for status, _ in statuses()} == {503}, 30)
        module.write_bytes(answering(418))
        digest = hashlib.sha256(answering(418)).hexdigest()
        mended = other.format(path=module, port=443).replace(
            "phase: AUTHN", f"phase: AUTHN, sha256: {digest}"
        )
        gateway.replace_file(folder / "other.yaml", mended)
        eventually(lambda: statuses() == {(418, "yes")})
        # One that dies of a request refuses it.
        module.write_bytes(trapping())
        gateway.replace_file(folder / "other.yaml", other.format(path=module, port=443))
        eventually(lambda: {status for status, _ in statuses()} == {503})
        (folder / "other.yaml").unlink()
        eventually(lambda: statuses() == {(200, "yes")})
