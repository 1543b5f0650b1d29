"""What a client says of itself is not believed: forwarding headers, identities, tokens."""

import time
from collections.abc import Callable

import pytest
from attacked_site import API, PORT, PROTOCOLS, VAULT, WWW, Site
from cryptography.hazmat.primitives import hashes, hmac

from mizzen.demo import certificates
from mizzen.probe.client import Answer
from tests.harness.clients import visit
from tests.harness.gateway import Authority, now
from tests.harness.issuer import Issuer, base64url

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

# Header -> what the backend may see of it: nothing, or what the gateway itself says.
FORGED = {
    "x-forwarded-client-cert": (),
    "x-envoy-internal": (),
    "x-envoy-original-path": (),
    "x-envoy-original-host": (),
    "x-envoy-retry-on": (),
    "x-envoy-max-retries": (),
    "x-envoy-upstream-rq-timeout-ms": (),
    "x-envoy-expected-rq-timeout-ms": (),
    "x-envoy-upstream-alt-stat-name": (),
    "x-envoy-hedge-on-per-try-timeout": (),
    "x-envoy-decorator-operation": ("backend.test:80/*",),
    "x-envoy-ip-tags": (),
    "x-envoy-force-trace": (),
    "x-envoy-external-address": ("127.0.0.1",),
    "x-envoy-attempt-count": ("1",),
    "x-forwarded-proto": ("https",),
    "x-payload": (),  # where a verified token's payload is told
    "x-subject": (),  # where a verified token's claim is told
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_client_forges_does_not_reach_the_backend(site: Site, protocol: str) -> None:
    for name, seen in FORGED.items():
        for spelled in (name, name.upper(), name.title()):
            site.backend.take()
            answer = site.ask(protocol, WWW, headers={spelled: "forged"})

            assert (answer.error, answer.status) == (None, 200), name
            (request,) = site.backend.take()
            assert request.all(name) == seen, name


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_asked_is_who_connected(site: Site, protocol: str) -> None:
    site.ask(protocol, WWW, headers={"x-forwarded-for": "10.0.0.1, 203.0.113.9"})

    (request,) = site.backend.take()
    assert ",".join(request.all("x-forwarded-for")).split(",")[-1].strip() == "127.0.0.1"


# --- client certificates ----------------------------------------------------------------------------


def strangers(site: Site) -> dict[str, certificates.KeyPair]:
    """Certificates that are not good enough for the server that demands one."""
    other = Authority().pair
    return {
        "of another authority": certificates.client("client.test", other, now()),
        "of an authority of the same name": certificates.client("client.test", Authority().pair, now()),
        "of a server": site.authority.server("client.test"),
        "no longer valid": certificates.client(
            "client.test", site.authority.pair, now() - 2 * certificates.LIFE
        ),
        "the authority itself, of another key": other,
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_stranger_is_let_in(site: Site, protocol: str) -> None:
    for name, pair in strangers(site).items():
        pem = {"client_cert_pem": pair.certificate.decode(), "client_key_pem": pair.key.decode()}
        answer = site.ask(protocol, VAULT, **pem)
        assert answer.error, f"a certificate {name} was taken"
    assert site.backend.take() == []
    pair = certificates.client("client.test", site.authority.pair, now())
    pem = {"client_cert_pem": pair.certificate.decode(), "client_key_pem": pair.key.decode()}
    assert site.ask(protocol, VAULT, **pem).status == 200
    site.backend.take()


def test_no_ticket_stands_in_for_a_certificate(site: Site) -> None:
    pair = certificates.client("client.test", site.authority.pair, now())
    url = f"https://{VAULT}:{PORT}/"
    pem = site.authority.pem
    welcome = visit(url, ca_pem=pem, cert_pem=pair.certificate.decode(), key_pem=pair.key.decode())
    assert welcome.status == 200
    site.backend.take()
    # A ticket of a laxer server of this port, brought to the stricter one.
    lax = visit(f"https://{WWW}:{PORT}/", ca_pem=pem)
    assert lax.status == 200
    site.backend.take()
    for ticket in (welcome.ticket, lax.ticket):
        assert visit(url, ca_pem=pem, ticket=ticket).status == 0
    assert site.backend.take() == []


# --- tokens -----------------------------------------------------------------------------------------


def _unsigned(token: str) -> str:
    head = base64url(b'{"alg":"none","typ":"JWT"}')
    return f"{head}.{token.split('.')[1]}."


def _by_public_key(token: str, issuer: Issuer) -> str:
    """Signed with the public key as if it were a shared secret."""
    head = base64url(b'{"alg":"HS256","typ":"JWT","kid":"one"}')
    signed = f"{head}.{token.split('.')[1]}"
    mac = hmac.HMAC(issuer.jwks.encode(), hashes.SHA256())
    mac.update(signed.encode())
    return f"{signed}.{base64url(mac.finalize())}"


FORGERIES: dict[str, Callable[[Issuer], str]] = {
    "not a token": lambda issuer: "forged",
    "empty": lambda issuer: "",
    "unsigned": lambda issuer: _unsigned(issuer.token(aud="site")),
    "without its signature": lambda issuer: issuer.token(aud="site").rpartition(".")[0] + ".",
    "another's key": lambda issuer: Issuer().token(aud="site"),
    "another's key, and no kid": lambda issuer: Issuer().token(aud="site", header={"kid": None}),
    "signed by the public key": lambda issuer: _by_public_key(issuer.token(aud="site"), issuer),
    "changed": lambda issuer: _changed(issuer.token(aud="site")),
    "expired": lambda issuer: issuer.token(aud="site", exp=int(time.time()) - 3600),
    "not yet": lambda issuer: issuer.token(aud="site", nbf=int(time.time()) + 3600),
    "of another issuer": lambda issuer: issuer.token(aud="site", iss="https://other.test"),
    "for somebody else": lambda issuer: issuer.token(aud="other"),
    "for nobody": lambda issuer: issuer.token(),
}  # fmt: skip


def _changed(token: str) -> str:
    head, _, signature = token.split(".")
    body = base64url(b'{"iss":"https://issuer.test","sub":"admin","aud":"site","exp":9999999999}')
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_forged_token_is_taken(site: Site, protocol: str) -> None:
    def ask(token: str | None) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return site.ask(protocol, API, headers=headers)

    assert ask(None).status == 403
    for name, forge in FORGERIES.items():
        answer = ask(forge(site.issuer))
        assert answer.status in (401, 403), f"a token was taken that is {name}: {answer.status}"
    assert site.backend.take() == []
    assert ask(site.issuer.token(aud="site")).status == 200
    (request,) = site.backend.take()
    assert request.all("x-subject") == ("alice",)
