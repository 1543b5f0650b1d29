"""An authority at a fixed time, and what peers would say to its certificates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from mizzen.authority.identity import Identity
from mizzen.authority.issue import Issued, issue
from mizzen.authority.root import Certificates, Signer, self_signed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Accepts = Callable[[Issued, Certificates, datetime], bool]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_root() -> Callable[..., Signer]:
    def make(serial: int = 2**70 + 1, now: datetime = NOW, **options: timedelta) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        return self_signed(key, trust_domain="cluster.local", serial=serial, now=now, **options)

    return make


@pytest.fixture
def root(make_root: Callable[..., Signer]) -> Signer:
    return make_root()


@pytest.fixture
def leaf() -> Callable[..., Issued]:
    """Issues a leaf for a new key."""

    def make(
        signer: Signer, now: datetime = NOW, lifetime: timedelta = timedelta(hours=24), proof: bytes = b""
    ) -> Issued:
        return issue(
            signer,
            ec.generate_private_key(ec.SECP256R1()).public_key(),
            identity=Identity(namespace="httpbin", service_account="httpbin"),
            now=now,
            lifetime=lifetime,
            serial=77,
            proof=proof,
        )

    return make


@pytest.fixture
def accepts() -> Accepts:
    """Whether a peer that trusts these roots accepts the chain at a time (RFC 5280 path validation)."""

    def judge(issued: Issued, roots: Certificates, at: datetime) -> bool:
        verifier = PolicyBuilder().store(Store(list(roots))).time(at).build_client_verifier()
        try:
            verified = verifier.verify(issued.chain[0], list(issued.chain[1:]))
        except VerificationError:
            return False
        return any(isinstance(name, x509.UniformResourceIdentifier) for name in verified.subjects or ())

    return judge
