"""Keys of tokens at a jwksUri, or found by the issuer: fetched, followed, and held while they cannot be had."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_scoped_routes import Clients, clients, drained
from tests.harness import gateway
from tests.harness.gateway import Authority, eventually, free_port
from tests.harness.issuer import ISSUER, Issuer, Site

pytestmark = pytest.mark.e2e

SOON = {"PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "1s"}


def write(folder: Path, authority: Authority, *rules: dict[str, Any], more: str = "") -> None:
    tokens = {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "jwt", "namespace": "istio-system"},
        "spec": {"jwtRules": rules},
    }
    parts = (
        gateway.gateway("*"),
        gateway.route("*"),
        gateway.secret("shop-tls", authority.server()),
        json.dumps(tokens),
        *([more] if more else ()),
    )
    (folder / "site.yaml").write_text("\n---\n".join(parts))


def statuses(of: Clients, token: str = "") -> set[int]:
    told = {"authorization": f"Bearer {token}"} if token else {}
    return {one.status for one in of.ask(**told).values()}


def told(up: gateway.Up, code: str) -> list[str]:
    return [one["message"] for one in up.status()["problems"] if one["code"] == code]


def test_keys_are_there_from_the_first_request_on_and_followed(folder: Path, authority: Authority) -> None:
    """Those at a jwksUri, those that the issuer's description leads to, and those of a service of the mesh."""
    issuer, other = Issuer(), Issuer("two")
    with Site() as site:
        site.publish(issuer)
        names = (ISSUER, site.url, "https://mesh.test")
        rules = (
            {"issuer": names[0], "jwksUri": f"{site.url}/certs"},
            {"issuer": names[1]},
            {"issuer": names[2], "jwksUri": "http://keys.auth.svc.cluster.local/certs"},
        )
        keys = gateway.backend(site.port).replace("backend.test", "keys.auth.svc.cluster.local")
        write(folder, authority, *rules, more=keys)
        with gateway.up(folder, environment=SOON) as up, clients(authority) as of:
            for name in names:
                assert statuses(of, issuer.token(iss=name)) == {200}
                assert statuses(of, other.token(iss=name)) == {401}
            assert statuses(of) == {200}
            before = drained(up)

            site.publish(other)
            for name in names:
                eventually(lambda name=name: statuses(of, other.token(iss=name)) == {200})
                assert statuses(of, issuer.token(iss=name)) == {401}

            site.pages["/certs"] = (503, "")  # what was there holds
            eventually(lambda: len(told(up, "JWT-005")) == len(names))
            assert {status for name in names for status in statuses(of, other.token(iss=name))} == {200}
            assert drained(up) == before
            assert {one.reused for one in of.ask().values()} == {True}


def test_keys_outlive_the_control_plane_and_the_issuer(folder: Path, authority: Authority) -> None:
    issuer, site = Issuer(), Site()
    site.publish(issuer)
    write(folder, authority, {"issuer": ISSUER, "jwksUri": f"{site.url}/certs"})
    with gateway.up(folder) as up, clients(authority) as of:
        assert statuses(of, issuer.token()) == {200}
        site.close()
        first = up.status()["pid"]
        os.kill(first, signal.SIGKILL)

        def is_new() -> bool:
            try:
                return bool(up.status()["pid"] != first)
            except (OSError, AssertionError, RuntimeError, ValueError):
                return False

        eventually(is_new, 20)
        eventually(lambda: told(up, "JWT-005"))
        assert statuses(of, issuer.token()) == {200}


def test_without_keys_tokens_are_refused_until_there_are_some(folder: Path, authority: Authority) -> None:
    issuer, port = Issuer(), free_port()
    rules = (
        {"issuer": ISSUER, "jwksUri": f"http://127.0.0.1:{port}/certs"},
        {"issuer": "https://metadata.test", "jwksUri": "http://169.254.169.254/latest"},
        {"issuer": "https://own.test", "jwksUri": "http://127.0.0.1:15090/stats"},
        {"issuer": "https://mapped.test", "jwksUri": "http://[::ffff:169.254.169.254]/latest"},
    )
    write(folder, authority, *rules)
    with gateway.up(folder) as up, clients(authority) as of:
        assert statuses(of, issuer.token()) == {401}
        assert statuses(of) == {200}
        wrong = " ".join(told(up, "JWT-001"))
        assert "connection refused" in wrong
        assert wrong.count("link-local") == 2
        assert "one of mizzen's own" in wrong
        with Site(port) as site:
            site.publish(issuer)
            eventually(lambda: statuses(of, issuer.token()) == {200}, 15)
