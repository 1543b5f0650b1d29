"""Cases: a folder with YAML that a user could have written, and what mizzen makes of it.

tests/cases/AREA/NAME/ holds
  input.yaml     or a folder input/ with several files, as named with `-f`
  envoy.json     what `mizzen render` prints; absent where a case shows nothing of it
  problems.txt   what `mizzen analyze` prints; absent where it finds nothing
  requests.yaml  what clients ask and get, where the case is served (tests/e2e/test_cases_served.py)
  case.yaml      optional settings, over those of AREA/case.yaml:
                   show: [routes.virtualHosts, ...]  the parts of the output that this case is about
                   gateway: NAME.NAMESPACE           which gateway, where there are several
                   external_ports: [[443, 8443]]     as `--external-port` says; or "service"
                   environment: {NAME: value}        switches that no IstioOperator sets
                   sidecars: [NAMESPACE/NAME]        WorkloadEntries that have one
                   unix_sockets_in: [DIR, "@NAME"]   where objects may name Unix sockets
                   families: v4                      of which the gateway's addresses are: v4, v6, both
                   files: {PATH: NAME.crt}           files of this machine (a list: one after the other); "": it is not
                                                     there. Without it, they are on another machine

`${b64:NAME.crt}`, `${b64:NAME.key}`, `${b64:NAME.ocsp}` and `${b64:ca.crt}` in the input stand for base64 of a
certificate for the host NAME that is made anew in each run, its key, its OCSP staple, and the CA that signed
it. Signs after NAME say what is special: `+rsa`, `+expired`, `+staple` (it demands to be stapled).
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from mizzen.cli.render import choose
from mizzen.envoy.dump import dump
from mizzen.errors import Problem
from mizzen.pipeline import Build, GatewayBuild, Memory, Settings, analysed, build
from mizzen.resolve.context import ByService, ExternalPorts, Families, NamedFile, UnixFolders
from mizzen.resources.raw_objects import RawObject, parse_documents

ROOT = Path(__file__).parent / "cases"
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # when the certificates of cases are made, and judged

Material = Callable[[str, str], bytes]  # (NAME, "crt" or "key" or "ocsp") -> PEM or DER

_PLACEHOLDER = re.compile(r"\$\{b64:([^}]+)\.(crt|key|ocsp)\}")


# --- certificates -----------------------------------------------------------------------------------


@cache
def _authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")])
    signed = (
        _begun("ca", key.public_key())
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return signed, key


def _begun(name: str, key: Any, days: int = 365) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .public_key(key)
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=days))
    )


@cache
def material(name: str, part: str) -> bytes:
    """What a placeholder NAME.PART means: PEM ("crt", "key"), or DER ("ocsp")."""
    if name == "ca":
        assert part == "crt", "nobody needs the key of the CA"
        return _authority()[0].public_bytes(serialization.Encoding.PEM)
    certificate, key = _pair(name)
    if part == "ocsp":
        return _staple(certificate)
    if part == "crt":
        return certificate.public_bytes(serialization.Encoding.PEM)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def _pair(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]:
    host, *signs = name.split("+")
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if "rsa" in signs:
        key = rsa.generate_private_key(65537, 2048)
    issuer, issuer_key = _authority()
    builder = (
        _begun(host, key.public_key(), days=-1 if "expired" in signs else 365)
        .issuer_name(issuer.subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    )
    if "staple" in signs:
        feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
        builder = builder.add_extension(feature, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()), key


def _staple(certificate: x509.Certificate) -> bytes:
    """The CA's word that the certificate is good."""
    issuer, key = _authority()
    answer = ocsp.OCSPResponseBuilder().add_response(
        certificate,
        issuer,
        hashes.SHA256(),
        ocsp.OCSPCertStatus.GOOD,
        this_update=NOW - timedelta(days=1),
        next_update=NOW + timedelta(days=3650),
        revocation_time=None,
        revocation_reason=None,
    )
    signed = answer.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


# --- cases ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder of tests/cases."""

    folder: Path
    show: tuple[str, ...] = ("listeners", "routes", "clusters", "endpoints", "extensionConfigs")
    gateway: str | None = None
    external_ports: ExternalPorts = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    sidecars: frozenset[str] = frozenset()
    unix_folders: UnixFolders = field(default_factory=UnixFolders)
    files: Mapping[str, str | list[str]] | None = None
    families: Families = "unknown"

    @property
    def name(self) -> str:
        """AREA/NAME."""
        return str(self.folder.relative_to(ROOT))

    @property
    def settings(self) -> Settings:
        return Settings(
            environment=self.environment,
            external_ports=self.external_ports,
            sidecars=self.sidecars,
            unix_folders=self.unix_folders,
            families=self.families,
            files=None if self.files is None else {path: _file(said) for path, said in self.files.items()},
        )

    def texts(self, of: Material | None = None) -> dict[str, bytes]:
        """The input: file name -> content, placeholders filled."""
        one = self.folder / "input.yaml"
        if one.exists():
            return {one.name: filled(one.read_bytes(), of or material)}
        found = self.folder / "input"
        paths = sorted(path for path in found.rglob("*") if path.is_file())
        return {str(path.relative_to(found)): filled(path.read_bytes(), of or material) for path in paths}

    def build(self) -> Build:
        return built(self.texts(), self.settings)

    def chosen(self, of: Build) -> GatewayBuild:
        """The gateway that this case is about."""
        return choose(of.gateways, self.gateway)


def cases() -> tuple[Case, ...]:
    """Every case, by name."""
    folders = {path.parent for path in ROOT.glob("*/*/*") if path.name in ("input.yaml", "input")}
    return tuple(_case(folder) for folder in sorted(folders))


def _case(folder: Path) -> Case:
    said: dict[str, Any] = {}
    for file in (folder.parent / "case.yaml", folder / "case.yaml"):
        if file.exists():
            said |= yaml.safe_load(file.read_text())
    case = Case(
        folder=folder,
        gateway=said.pop("gateway", None),
        environment=said.pop("environment", {}),
        sidecars=frozenset(said.pop("sidecars", ())),
        files=said.pop("files", None),
        families=said.pop("families", "unknown"),
        unix_folders=UnixFolders(allowed=tuple(said.pop("unix_sockets_in", ()))),
    )
    if "show" in said:
        case = replace(case, show=tuple(said.pop("show")))
    ports = said.pop("external_ports", ())
    ports = (
        ByService(ports) if isinstance(ports, str) else tuple((dialled, bound) for dialled, bound in ports)
    )
    assert not said, f"{folder}: case.yaml has no word {sorted(said)}"
    return replace(case, external_ports=ports)


def _file(said: str | list[str]) -> NamedFile:
    """A file in a folder for certificates."""
    if not said:
        return NamedFile(why="no such file or directory", may_be_shown=True)
    parts = [said] if isinstance(said, str) else said
    content = b"".join(material(*one.rsplit(".", 1)) for one in parts)
    return NamedFile(content=content, may_be_shown=True)


def filled(content: bytes, of: Material) -> bytes:
    """`content` with certificates in the place of their placeholders."""
    return _PLACEHOLDER.sub(
        lambda found: base64.b64encode(of(found[1], found[2])).decode(), content.decode("latin-1")
    ).encode("latin-1")


def parsed(texts: Mapping[str, bytes]) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
    """All objects of some files, and what was wrong in reading them."""
    objects: list[RawObject] = []
    problems: list[Problem] = []
    for name, content in texts.items():
        found, wrong = parse_documents(content, name)
        objects += found
        problems += wrong
    return tuple(objects), tuple(problems)


def built(texts: Mapping[str, bytes], settings: Settings, memory: Memory | None = None) -> Build:
    """The build of some files, as `mizzen render` and `mizzen analyze` make it."""
    return build(*parsed(texts), settings, memory)


# --- what is compared -------------------------------------------------------------------------------


def rendered(gateway: GatewayBuild) -> dict[str, Any]:
    """What `mizzen render` prints, as a value."""
    return dump(gateway.config(gateway.announced_when_proven()))


def envoy_json(case: Case, of: Build) -> str:
    """The part of the output that the case shows; "" when that is nothing."""
    if not case.show:
        return ""
    value = {section: some for section, some in picked(rendered(case.chosen(of)), case.show).items() if some}
    return emptied(json.dumps(value, indent=1, ensure_ascii=False) + "\n", case.folder)


def problems_text(of: Build) -> str:
    """What `mizzen analyze` prints, without its summary."""
    return "".join(f"{problem}\n" for problem in analysed(of, NOW))


def picked(value: Any, paths: Iterable[str]) -> Any:
    """`value` with only what lies under `paths` (dotted keys; lists are gone through), and the names."""
    wanted: dict[str, list[str]] = {}
    for path in paths:
        key, _, rest = path.partition(".")
        wanted.setdefault(key, []).append(rest)
    if isinstance(value, list):
        return [picked(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key not in wanted or "" in wanted[key] else picked(item, wanted[key])
        for key, item in value.items()
        if key in wanted or key in ("name", "clusterName")
    }


def emptied(text: str, folder: Path) -> str:
    """`text` with the placeholders of the input back in the place of certificates. No key may be in it."""
    sources = "".join(path.read_text("latin-1") for path in sorted(folder.rglob("input*")) if path.is_file())
    for name, part in sorted(set(_PLACEHOLDER.findall(sources))):
        encoded = base64.b64encode(material(name, part)).decode()
        assert part == "crt" or encoded not in text, "a private key is shown"
        text = text.replace(encoded, f"${{b64:{name}.{part}}}")
    return text


def as_value(text: str) -> Any:
    """JSON text as a value, for differences that pytest can show."""
    return json.loads(text or "null")
