"""Gateways that show one certificate on one port."""

import pytest

from mizzen.resolve import resolve


def a_gateway(name: str, host: str, credential: str, port: int = 443) -> str:
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: team}}\nspec:\n  selector: {{}}\n  servers:\n"
        f"  - {{port: {{number: {port}, name: https, protocol: HTTPS}}, hosts: [{host}], "
        f"tls: {{mode: SIMPLE, credentialName: {credential}}}}}\n"
    )


@pytest.fixture
def told(gateway, pair):
    """What is said of shared certificates: (Gateway, message)."""

    def make(text: str) -> list[tuple[str, str]]:
        one, other = pair("*.x.t"), pair("*.x.t", days=40)
        secrets = one.secret("cred") + one.secret("copy") + other.secret("other")
        found = gateway(text + secrets)
        resolve(found.ctx)
        return [(str(one.resource), one.message) for one in found.problems if one.code == "GW-014"]

    return make


def test_two_gateways_with_one_credential_are_told_of_once(told) -> None:
    [(where, message)] = told(a_gateway("a", "a.x.t", "cred") + a_gateway("b", "b.x.t", "cred"))
    assert where == "Gateway/team/b"
    assert all(word in message for word in ("Gateway/team/a", "cred", "port 443"))


def test_two_secrets_with_the_same_certificate_are_one(told) -> None:
    assert len(told(a_gateway("a", "a.x.t", "cred") + a_gateway("b", "b.x.t", "copy"))) == 1


def test_a_hundred_gateways_are_one_problem(told) -> None:
    [(_, message)] = told("".join(a_gateway(f"g{i:03}", f"h{i}.x.t", "cred") for i in range(100)))
    assert "Gateway/team/g002 (spec.servers[0]) and 96 more" in message


def test_other_certificates_and_other_ports_are_not_shared(told) -> None:
    assert not told(a_gateway("a", "a.x.t", "cred") + a_gateway("b", "b.x.t", "other"))
    assert not told(a_gateway("a", "a.x.t", "cred") + a_gateway("b", "b.x.t", "cred", port=9443))
    assert not told(a_gateway("a", "[a.x.t, c.x.t]", "cred"))
