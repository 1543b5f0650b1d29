"""The certificate service, asked over real TLS by a gRPC client; the clock is the test's."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc.aio

from mizzen.authority.identity import Identity
from mizzen.authority.issue import issue
from mizzen.authority.limit import Limiter
from mizzen.authority.messages import METHOD, SERVICE, IstioCertificateRequest, IstioCertificateResponse
from mizzen.authority.named_proof import named_in
from mizzen.authority.proof import DIGEST_HEADER, HEADER, digest, proof_of
from mizzen.authority.request import signing_request
from mizzen.authority.root import Key, Signer, certificates_pem, key_pem
from mizzen.authority.rotation import Overlap, Roots, advance, begin, distributed
from mizzen.authority.store import TokenStore, new_root
from mizzen.serve.certificates import CertificateService
from mizzen.serve.credentials import ServerTls, address, bearer, server_credentials

# TLS itself reads the real clock, so certificates of connections must hold by it.
START = datetime.now(UTC)
HOUR = timedelta(hours=1)
WHO = Identity(namespace="httpbin", service_account="httpbin")
ISTIOD = Identity(namespace="istio-system", service_account="istiod")


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def pair(signer: Signer, identity: Identity, *names: str, lifetime: timedelta = 24 * HOUR) -> tuple[str, str]:
    """Chain and key (PEM) of somebody."""
    key = new_key()
    issued = issue(
        signer, key.public_key(), identity=identity, names=names, now=START, lifetime=lifetime, serial=7
    )
    return issued.pem, key_pem(key)


@dataclass
class Mesh:
    """A control plane in a test: its roots, its tokens, its clock, and its two ports."""

    tokens: TokenStore
    roots: Roots = field(default_factory=lambda: Roots(active=new_root("cluster.local", START)))
    now: datetime = START
    join: str = ""  # TLS
    mutual: str = ""  # TLS that requires a client certificate
    plain: str = ""
    tls: ServerTls | None = None

    def serving_tls(self) -> ServerTls:
        if not self.tls:
            chain, key = pair(self.roots.active, ISTIOD, "127.0.0.1")
            self.tls = ServerTls(chain=chain, key=key, client_roots=self.roots.bundle_pem)
        return self.tls

    @asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator[None]:
        options = {"roots": lambda: self.roots, "clock": lambda: self.now, "tokens": self.tokens, **options}
        service = CertificateService(trust_domain="cluster.local", **options)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((service.handler(),))

        def port(require_client: bool) -> str:
            credentials = server_credentials(self.serving_tls, require_client=require_client)
            return f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"

        self.join, self.mutual = port(False), port(True)
        self.plain = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            yield
        finally:
            await server.stop(grace=None)

    def channel(self, client: tuple[str, str] | None = None, target: str = "") -> grpc.aio.Channel:
        chain, key = client or (None, None)
        credentials = grpc.ssl_channel_credentials(
            self.roots.bundle_pem.encode(), key and key.encode(), chain and chain.encode()
        )
        return grpc.aio.secure_channel(target or (self.mutual if client else self.join), credentials)

    async def ask(self, *, token: str = "", key: Key | None = None, client: Any = None, **fields: Any) -> Any:
        """The chain in the answer, as texts."""
        async with self.channel(client) as channel:
            return await call(channel, token, key, **fields)


async def call(
    channel: grpc.aio.Channel, token: str = "", key: Key | None = None, **fields: Any
) -> list[str]:
    create: Any = channel.unary_unary(
        f"/{SERVICE}/{METHOD}",
        request_serializer=IstioCertificateRequest.SerializeToString,
        response_deserializer=IstioCertificateResponse.FromString,
    )
    fields.setdefault("csr", signing_request(key or new_key()))
    metadata = (*((("authorization", f"Bearer {token}"),) if token else ()), *fields.pop("headers", ()))
    response = await create(IstioCertificateRequest(**fields), metadata=metadata, timeout=20)
    return list(response.cert_chain)


def leaf_of(chain: list[str]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain[0].encode())


def uris(chain: list[str]) -> list[str]:
    names = leaf_of(chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


async def refused(asking: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    return caught.value.code(), caught.value.details() or ""


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tokens=TokenStore(tmp_path / "authority"))


async def test_who_has_a_join_token_gets_a_certificate_of_its_identity(mesh: Mesh) -> None:
    key = new_key()
    async with mesh.serving():
        chain = await mesh.ask(token=mesh.tokens.issue(WHO, START), key=key)

    leaf = leaf_of(chain)
    assert len(chain) == 2 and chain[-1] == mesh.roots.bundle_pem
    assert uris(chain) == [WHO.uri]
    assert leaf.public_key() == key.public_key()
    assert leaf.not_valid_after_utc == START.replace(microsecond=0) + 24 * HOUR
    store = Store(x509.load_pem_x509_certificates(chain[-1].encode()))
    PolicyBuilder().store(store).time(START).build_client_verifier().verify(leaf, [])


async def test_a_certificate_is_renewed_by_itself(mesh: Mesh) -> None:
    async with mesh.serving():
        key = new_key()
        first = await mesh.ask(token=mesh.tokens.issue(WHO, START), key=key)

        second = await mesh.ask(client=("".join(first[:-1]), key_pem(key)), validity_duration=3600)

    assert uris(second) == [WHO.uri]
    assert leaf_of(second).not_valid_after_utc == START.replace(microsecond=0) + HOUR
    assert leaf_of(second).serial_number != leaf_of(first).serial_number


async def test_a_certificate_that_names_a_proof_is_renewed_with_the_proof_alone(mesh: Mesh) -> None:
    proof, other = proof_of(b"a" * 32), proof_of(b"b" * 32)
    named, shown = (DIGEST_HEADER, digest(proof).hex()), (HEADER, proof)
    async with mesh.serving():
        key, next_key = new_key(), new_key()
        first = await mesh.ask(token=mesh.tokens.issue(WHO, START), key=key, headers=[named])
        assert named_in(leaf_of(first)) == digest(proof)
        client = ("".join(first[:-1]), key_pem(key))
        for headers in ([], [named], [(HEADER, other)], [(HEADER, digest(proof).hex())]):
            code, _ = await refused(mesh.ask(client=client, headers=headers))
            assert code is grpc.StatusCode.UNAUTHENTICATED
        # It stays named even where the next request forgets to say so.
        second = await mesh.ask(client=client, key=next_key, headers=[shown])
        assert named_in(leaf_of(second)) == digest(proof)
        code, _ = await refused(mesh.ask(client=("".join(second[:-1]), key_pem(next_key))))
        assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_what_is_no_digest_is_refused(mesh: Mesh) -> None:
    async with mesh.serving():
        for value in ("ab", "x" * 64, "a" * 66):
            asking = mesh.ask(token=mesh.tokens.issue(WHO, START), headers=[(DIGEST_HEADER, value)])
            assert (await refused(asking))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_names_in_a_signing_request_are_ignored(mesh: Mesh) -> None:
    admin = "spiffe://cluster.local/ns/istio-system/sa/istiod"
    forged = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "istiod")]))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(admin), x509.DNSName("istiod")]),
            critical=True,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(new_key(), hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )
    async with mesh.serving():
        chain = await mesh.ask(token=mesh.tokens.issue(WHO, START), csr=forged)

    assert uris(chain) == [WHO.uri]
    assert list(leaf_of(chain).subject) == []
    assert not leaf_of(chain).extensions.get_extension_for_class(x509.BasicConstraints).value.ca


async def test_a_stolen_token_is_refused_and_reported(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        await mesh.ask(token=token)
        caplog.clear()

        code, details = await refused(mesh.ask(token=token))

    assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "the join token has been used")
    assert "stolen?" in caplog.text


async def test_an_answer_that_was_lost_can_be_asked_for_again(mesh: Mesh) -> None:
    key = new_key()
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        await mesh.ask(token=token, key=key)

        assert uris(await mesh.ask(token=token, key=key)) == [WHO.uri]


async def test_an_ended_token_is_refused(mesh: Mesh) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        mesh.now = START + HOUR

        code, details = await refused(mesh.ask(token=token))

    assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "the join token has ended")


async def test_who_proves_nothing_gets_nothing(mesh: Mesh) -> None:
    async with mesh.serving():
        nothing = await refused(mesh.ask())
        guess = await refused(mesh.ask(token="mizzen-join." + "0" * 16 + "." + "0" * 64))
        other = await refused(mesh.ask(token="eyJhbGciOiJSUzI1NiJ9.e30.x"))

    assert {code for code, _ in (nothing, guess, other)} == {grpc.StatusCode.UNAUTHENTICATED}


async def test_a_bad_request_does_not_use_up_a_token(mesh: Mesh) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        weak = signing_request(ec.generate_private_key(ec.SECP224R1()))

        for bad in ({"csr": "?"}, {"csr": weak}, {"validity_duration": 2**62}):
            code, _ = await refused(mesh.ask(token=token, **bad))
            assert code is grpc.StatusCode.INVALID_ARGUMENT

        assert uris(await mesh.ask(token=token, validity_duration=-(2**62))) == [WHO.uri]


async def test_nobody_gets_the_certificate_of_another(mesh: Mesh) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)

        code, _ = await refused(mesh.ask(token=token, metadata={"ImpersonatedIdentity": ISTIOD.uri}))

    assert code is grpc.StatusCode.PERMISSION_DENIED


async def test_identities_of_another_trust_domain_are_denied(mesh: Mesh) -> None:
    foreign = Identity(trust_domain="other.example", namespace="a", service_account="b")
    async with mesh.serving():
        by_token = await refused(mesh.ask(token=mesh.tokens.issue(foreign, START)))
        by_certificate = await refused(mesh.ask(client=pair(mesh.roots.active, foreign)))

    assert by_token[0] is by_certificate[0] is grpc.StatusCode.PERMISSION_DENIED


async def test_tls_takes_no_certificate_of_another_authority(mesh: Mesh) -> None:
    async with mesh.serving():
        code, _ = await refused(mesh.ask(client=pair(new_root("cluster.local", START), WHO)))

    assert code is grpc.StatusCode.UNAVAILABLE


async def test_a_connection_that_outlives_its_certificate_renews_nothing(mesh: Mesh) -> None:
    async with mesh.serving(), mesh.channel(pair(mesh.roots.active, WHO)) as channel:
        assert uris(await call(channel)) == [WHO.uri]
        mesh.now = START + 25 * HOUR

        code, details = await refused(call(channel))

    assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "the client certificate has ended")


async def test_a_connection_does_not_keep_a_removed_root_alive(mesh: Mesh) -> None:
    async with mesh.serving(), mesh.channel(pair(mesh.roots.active, WHO)) as channel:
        mesh.roots = Roots(active=new_root("cluster.local", START))

        code, details = await refused(call(channel))

    assert code is grpc.StatusCode.UNAUTHENTICATED and "not signed by any" in details


async def test_leaves_of_the_old_root_are_renewed_by_the_new_one(mesh: Mesh) -> None:
    old = pair(mesh.roots.active, WHO)
    async with mesh.serving():
        overlap = Overlap(spread=HOUR, keep=HOUR)
        made = distributed(begin(mesh.roots, new_root("cluster.local", START), START), START)
        mesh.roots = advance(made, START, overlap)
        mesh.tls = None

        chain = await mesh.ask(client=old)

    leaf_of(chain).verify_directly_issued_by(mesh.roots.active.certificate)
    assert len(x509.load_pem_x509_certificates(chain[-1].encode())) == 2


async def test_no_token_is_taken_over_a_plain_connection(mesh: Mesh) -> None:
    async with mesh.serving(), grpc.aio.insecure_channel(mesh.plain) as channel:
        code, details = await refused(call(channel, mesh.tokens.issue(WHO, START)))

    assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "certificates are given over TLS only")


async def test_an_identity_that_asks_too_often_is_held_off(mesh: Mesh) -> None:
    client, other = pair(mesh.roots.active, WHO), pair(mesh.roots.active, ISTIOD)
    async with mesh.serving(by_identity=Limiter(burst=2, per_second=1)):
        await mesh.ask(client=client)
        await mesh.ask(client=client)

        assert (await refused(mesh.ask(client=client)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert uris(await mesh.ask(client=other)) == [ISTIOD.uri]
        mesh.now += timedelta(seconds=1)
        assert uris(await mesh.ask(client=client)) == [WHO.uri]


async def test_guessing_tokens_is_held_off_by_address(mesh: Mesh) -> None:
    async with mesh.serving(by_address=Limiter(burst=2, per_second=1)):
        codes = [(await refused(mesh.ask()))[0] for _ in range(3)]

    assert codes == [grpc.StatusCode.UNAUTHENTICATED] * 2 + [grpc.StatusCode.RESOURCE_EXHAUSTED]


async def test_an_authority_that_cannot_sign_says_so_and_keeps_the_token(mesh: Mesh) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START, 5000 * 24 * HOUR)
        mesh.now = START + 4000 * 24 * HOUR

        assert (await refused(mesh.ask(token=token)))[0] is grpc.StatusCode.UNAVAILABLE
        mesh.now = START
        assert uris(await mesh.ask(token=token)) == [WHO.uri]


async def test_damaged_tokens_are_not_the_callers_fault(mesh: Mesh, tmp_path: Path) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        (tmp_path / "authority" / "tokens.json").write_text("?")

        code, details = await refused(mesh.ask(token=token))

    assert code is grpc.StatusCode.UNAVAILABLE and "tokens.json" not in details


async def test_of_two_who_race_with_one_token_one_wins(mesh: Mesh) -> None:
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)

        results = await asyncio.gather(*(mesh.ask(token=token) for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(each, list) for each in results) == 1


async def test_logs_tell_who_got_what_and_no_secrets(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="mizzen")
    async with mesh.serving():
        token = mesh.tokens.issue(WHO, START)
        chain = await mesh.ask(token=token)
        await refused(mesh.ask(token=token))

    assert f"{leaf_of(chain).serial_number:x} for {WHO.uri} at ipv4:127.0.0.1 (join token)" in caplog.text
    assert token.rpartition(".")[2] not in caplog.text
    assert "BEGIN" not in caplog.text and "PRIVATE" not in caplog.text


async def test_a_plugged_in_chain_is_given_element_by_element(mesh: Mesh) -> None:
    # As with an intermediate: the chain that peers need is not the root.
    root = mesh.roots.active
    between = Signer(certificate=root.certificate, key=root.key, chain=(root.certificate,), roots=root.roots)
    async with mesh.serving():
        mesh.roots = Roots(active=between)
        chain = await mesh.ask(token=mesh.tokens.issue(WHO, START))

    assert chain[1:] == [certificates_pem(root.roots), certificates_pem(root.roots)]


async def test_the_port_for_joining_does_not_ask_for_a_certificate(mesh: Mesh) -> None:
    async with mesh.serving(), mesh.channel(pair(mesh.roots.active, WHO), target=mesh.join) as channel:
        code, details = await refused(call(channel))

    assert (code, details) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "neither a client certificate nor a join token",
    )


async def test_the_port_for_certificates_lets_nobody_in_without_one(mesh: Mesh) -> None:
    async with mesh.serving(), mesh.channel(target=mesh.mutual) as channel:
        code, _ = await refused(call(channel, mesh.tokens.issue(WHO, START)))

    assert code is grpc.StatusCode.UNAVAILABLE


def test_an_address_is_told_without_its_port() -> None:
    assert address("ipv4:10.0.0.1:4711") == "ipv4:10.0.0.1"
    assert address("ipv6:%5B::1%5D:4711") == "ipv6:%5B::1%5D"
    assert address("unix:") == address("unix:/run/x:1") == "unix:"


def test_a_bearer_token_is_found_among_metadata() -> None:
    assert bearer([("a", "b"), ("authorization", "bearer  abc ")]) == "abc"
    assert bearer([("authorization", "Basic abc"), ("authorization-bin", b"Bearer x")]) == ""
