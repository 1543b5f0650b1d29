"""WasmPlugins from servers of files and registries: fetched before anything is served, followed without a drain, closed without."""

import base64
import json
from pathlib import Path

import pytest

from tests.e2e.test_scoped_routes import clients, drained
from tests.harness import gateway
from tests.harness.gateway import Authority, eventually
from tests.harness.registry import Registry, archive
from tests.harness.small_wasm import answering

pytestmark = pytest.mark.e2e

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def plugin(**spec: object) -> str:
    meta = {"name": "guard", "namespace": "istio-system"}
    kind = {"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": meta}
    return json.dumps({**kind, "spec": {"phase": "AUTHN", **spec}})


def pull_secret(host: str) -> str:
    auth = base64.b64encode(b"user:password").decode()
    content = json.dumps({"auths": {host: {"auth": auth}}}).encode()
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "pull", "namespace": "istio-system"},
            "data": {".dockerconfigjson": base64.b64encode(content).decode()},
        }
    )


def test_modules_are_fetched_and_followed(folder: Path, authority: Authority) -> None:
    with Registry() as registry:
        site = (gateway.secret("shop-tls", authority.server()), gateway.gateway("*"), gateway.route("*"))
        (folder / "site.yaml").write_text("\n---\n".join((*site, pull_secret(registry.host))))
        registry.pages["/guard.wasm"] = answering(418)
        (folder / "plugin.yaml").write_text(plugin(url=f"{registry.url}/guard.wasm"))
        with gateway.up(folder) as up, clients(authority) as of:

            def statuses() -> set[int]:
                return {one.status for one in of.ask().values()}

            def why() -> str:
                told = up.status()["problems"]
                return " ".join(one["message"] for one in told if one["code"] in ("EXT-001", "EXT-017"))

            assert statuses() == {418}  # from the first request on
            before = drained(up)

            # An image that is not there closes; when it has come, it runs.
            image = f"oci://{registry.host}/team/guard"
            gateway.replace_file(folder / "plugin.yaml", plugin(url=f"{image}:1"))
            eventually(lambda: statuses() == {503})
            eventually(lambda: "does not have it" in why())
            registry.is_closed = True
            registry.push("team/guard", "1", archive("plugin.wasm", answering(419)), LAYER)
            eventually(lambda: "does not know us" in why(), 20)
            named = plugin(url=f"{image}:1", imagePullSecret="pull")
            gateway.replace_file(folder / "plugin.yaml", named)
            eventually(lambda: statuses() == {419}, 20)

            # A digest is held to; what cannot be had any more runs on.
            pinned = registry.push("team/guard", "2", archive("plugin.wasm", answering(420)), LAYER)
            always = {"url": f"{image}:2", "imagePullSecret": "pull", "imagePullPolicy": "Always"}
            gateway.replace_file(folder / "plugin.yaml", plugin(**always, sha256="0" * 64))
            eventually(lambda: statuses() == {503})
            eventually(lambda: pinned.removeprefix("sha256:") in why())
            gateway.replace_file(folder / "plugin.yaml", plugin(**always))
            eventually(lambda: statuses() == {420})
            registry.pages.clear()
            gateway.replace_file(folder / "plugin.yaml", plugin(**always, pluginConfig={"a": 1}))
            eventually(lambda: "runs on" in why())
            assert statuses() == {420}
            assert "password" not in json.dumps(up.status())
            assert drained(up) == before
            assert {one.reused for one in of.ask().values()} == {True}
