"""What tests of resolving share: a gateway's context, made of YAML as a user writes it."""

import base64
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mizzen.errors import Problem
from mizzen.resolve.context import Context, ExternalPorts, UnixFolders
from mizzen.resolve.http3_policies import publish_policies
from mizzen.resolve.proxies.gateways import proxies
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.world import World


@dataclass(frozen=True)
class Found:
    """The context of the first gateway, and what has been reported in it."""

    ctx: Context
    problems: list[Problem] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """(code, object, field) of every problem."""
        return [(problem.code, str(problem.resource), problem.field) for problem in self.problems]


def read_world(text: str) -> World:
    if not text.strip():
        return World()
    raws, broken = parse_documents(textwrap.dedent(text), "test.yaml")
    assert not broken, broken
    world, _ = decode_all(raws)
    return world


@pytest.fixture
def world() -> Callable[[str], World]:
    """YAML -> World."""
    return read_world


@pytest.fixture
def gateway() -> Callable[..., Found]:
    """YAML -> the context of its first gateway. HTTP/3 is on unless the environment says otherwise."""

    def make(
        text: str, *, environment: Mapping[str, str] | None = None, external_ports: ExternalPorts = ()
    ) -> Found:
        read = read_world(text)
        said = {"PILOT_ENABLE_QUIC_LISTENERS": "true"} if environment is None else environment
        proxy, switches, mesh = proxies(read, said, external_ports)[0]
        problems: list[Problem] = []
        ctx = Context(
            world=read,
            proxy=proxy,
            mesh=mesh,
            switches=switches,
            report=problems.append,
            unix_folders=UnixFolders(allowed=("/run",), closed=("/run/own",)),
        )
        publish_policies(ctx)
        return Found(ctx, problems)

    return make


@dataclass(frozen=True)
class Pair:
    """A self-signed certificate and its key, as PEM."""

    certificate: bytes
    key: bytes

    def secret(self, name: str, namespace: str = "istio-system", **more: bytes) -> str:
        """YAML of a TLS Secret that holds the pair; `more` keys have their dots as two underscores."""
        data = {"tls.crt": self.certificate, "tls.key": self.key}
        data |= {key.replace("__", "."): value for key, value in more.items()}
        lines = "".join(f"  {key}: {base64.b64encode(value).decode()}\n" for key, value in data.items())
        return (
            f"---\napiVersion: v1\nkind: Secret\n"
            f"metadata: {{name: {name}, namespace: {namespace}}}\ndata:\n{lines}"
        )


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def make_pair(
    *names: str,
    algorithm: str = "ecdsa",
    begins: datetime = NOW - timedelta(days=1),
    days: int = 30,
    must_staple: bool = False,
) -> Pair:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm == "ecdsa":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa") or 2048))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0] if names else "nobody")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    if must_staple:
        feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
        builder = builder.add_extension(feature, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return Pair(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


@pytest.fixture
def pair() -> Callable[..., Pair]:
    """DNS names -> a certificate for them (ECDSA, valid on 2026-01-01, unless asked for otherwise)."""
    return make_pair
