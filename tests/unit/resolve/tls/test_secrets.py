"""Certificates and roots out of Secrets, and what is said of those that cannot be used."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mizzen.model.tls import Certificate, TrustedCa
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import NamedFile
from mizzen.resolve.tls.secrets import (
    Trouble,
    ca_of,
    certificate_of,
    is_ca,
    resource_name,
    secret_resources,
    validity_problems,
)

NAME = "kubernetes://web"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_secret(name="web", namespace="istio-system", kind="Secret", **data):
    encode = (lambda value: base64.b64encode(value).decode()) if kind == "Secret" else bytes.decode
    lines = "".join(
        f"  {key.replace('__', '.')}: {json.dumps(encode(value))}\n" for key, value in data.items()
    )
    return (
        f"---\napiVersion: v1\nkind: {kind}\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\ndata:\n{lines or '  {}'}\n"
    )


def asked(found, *names):
    certificates, roots = secret_resources(found.ctx, PersistentMap(dict.fromkeys(names, True)))
    return [one.name for one in (*certificates, *roots)]


def test_a_secret_beside_the_gateway_is_sent_under_the_name_that_was_asked_for(gateway, pair):
    found = gateway(pair("a.com").secret("web"))
    assert asked(found, NAME, "kubernetes://istio-system/web") == [
        "kubernetes://istio-system/web",
        "kubernetes://web",
    ]
    assert not found.problems


def test_a_secret_of_another_namespace_is_never_sent(gateway, pair):
    found = gateway(pair("a.com").secret("web", namespace="team"))
    for name in (NAME, "kubernetes://team/web"):
        trouble = certificate_of(found.ctx, name)
        assert isinstance(trouble, Trouble)
        assert trouble.code == "SEC-001"
    assert "team" in certificate_of(found.ctx, NAME).hint
    assert asked(found, NAME, "kubernetes://team/web") == []
    assert not found.problems  # who uses the name is to blame


def test_the_generic_keys_go_before_those_of_a_tls_secret(gateway, pair):
    generic, tls = pair("generic.com"), pair("tls.com")
    text = a_secret(cert=generic.certificate, key=generic.key, tls__crt=tls.certificate, tls__key=tls.key)
    found = certificate_of(gateway(text).ctx, NAME)
    assert found.chain == generic.certificate


def test_half_a_generic_pair_does_not_stand_in_the_way(gateway, pair):
    tls = pair("tls.com")
    text = a_secret(cert=b"x", tls__crt=tls.certificate, tls__key=tls.key, tls__ocsp_staple=b"no")
    found = certificate_of(gateway(text).ctx, NAME)
    assert found.chain == tls.certificate


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({}, "data", "it is empty"),
        ({"ca__crt": b"x"}, "data", "it has ca.crt"),
        ({"tls__crt": b"", "tls__key": b""}, "data[tls.crt]", "tls.crt is empty"),
        ({"a": b"x", "b": b"x", "c": b"x", "d": b"x"}, "data", "it has a, b, c, and 1 more"),
    ],
)
def test_a_secret_without_its_keys_is_told_from_an_empty_one(gateway, data, field, message):
    found = gateway(a_secret(**data))
    assert asked(found, NAME) == []
    [problem] = found.problems
    assert (problem.code, problem.field) == ("SEC-002", field)
    assert message in problem.message


def test_a_key_of_another_certificate_is_not_sent(gateway, pair):
    text = a_secret(tls__crt=pair("a.com").certificate, tls__key=pair("b.com").key)
    found = gateway(text)
    assert asked(found, NAME) == []
    assert found.said == [("SEC-003", "Secret/istio-system/web", "data[tls.key]")]
    assert "does not belong" in found.problems[0].message


@pytest.mark.parametrize(
    ("certificate", "key", "field"),
    [
        (b"nonsense", b"nonsense", "data[tls.crt]"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"x", "data[tls.crt]"),
        (None, b"nonsense", "data[tls.key]"),
        (None, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "data[tls.key]"),
    ],
)
def test_what_envoy_would_refuse_is_not_sent(gateway, pair, certificate, key, field):
    found = gateway(a_secret(tls__crt=certificate or pair("a.com").certificate, tls__key=key))
    assert asked(found, NAME) == []
    assert found.said == [("SEC-003", "Secret/istio-system/web", field)]


def test_a_short_rsa_key_is_not_sent(gateway, pair):
    found = gateway(pair("a.com", algorithm="rsa1024").secret("web"))
    assert asked(found, NAME) == []
    assert "1024 bits" in found.problems[0].message


def test_a_certificate_that_demands_a_staple_needs_one(gateway, pair):
    demanding = pair("a.com", must_staple=True)
    assert asked(gateway(demanding.secret("web")), NAME) == []
    found = certificate_of(gateway(demanding.secret("web", **{"tls__ocsp-staple": b"staple"})).ctx, NAME)
    assert found.ocsp_staple == b"staple"


def test_an_expired_certificate_is_sent_with_a_warning(gateway, pair):
    certificates, _ = secret_resources(gateway(pair("a.com").secret("web")).ctx, PersistentMap({NAME: True}))
    assert validity_problems(certificates, NOW) == ()
    [late] = validity_problems(certificates, NOW + timedelta(days=60))
    [early] = validity_problems(certificates, NOW - timedelta(days=60))
    assert "expired on 2026-01-30" in late.message
    assert "not valid before 2025-12-31" in early.message
    assert late.severity.value == early.severity.value == "warning"


def test_a_ca_lies_beside_the_certificate_or_in_a_secret_of_its_own(gateway, pair):
    beside, apart = pair("beside.com").certificate, pair("apart.com").certificate
    text = a_secret(ca__crt=beside)
    assert ca_of(gateway(text).ctx, "kubernetes://web-cacert").roots == beside
    text += a_secret("web-cacert", cacert=apart)
    assert ca_of(gateway(text).ctx, "kubernetes://web-cacert").roots == apart


def test_a_ca_secret_of_its_own_that_lacks_the_ca_is_not_passed_over(gateway, pair):
    text = a_secret(ca__crt=pair("a.com").certificate) + a_secret("web-cacert", other=b"x")
    assert ca_of(gateway(text).ctx, "kubernetes://web-cacert").code == "SEC-002"


def test_of_a_secret_named_as_a_ca_the_key_pair_is_never_sent(gateway, pair):
    found = gateway(pair("a.com").secret("web-cacert"))
    assert certificate_of(found.ctx, "kubernetes://web-cacert").code == "SEC-005"


def test_a_broken_ca_or_revocation_list_is_not_sent(gateway, pair):
    found = gateway(a_secret(ca__crt=b"nonsense"))
    assert ca_of(found.ctx, "kubernetes://web-cacert").field == "data[ca.crt]"
    found = gateway(a_secret(ca__crt=pair("a.com").certificate, ca__crl=b"nonsense"))
    assert ca_of(found.ctx, "kubernetes://web-cacert").field == "data[ca.crl]"


def test_a_ca_may_come_from_a_config_map_or_a_file(gateway, pair):
    roots = pair("a.com").certificate
    found = gateway(a_secret("roots", "anywhere", "ConfigMap", ca__crt=roots))
    assert ca_of(found.ctx, "configmap://anywhere/roots").roots == roots
    assert ca_of(found.ctx, "configmap://anywhere/roots-cacert").roots == roots
    assert ca_of(found.ctx, "configmap://roots").code == "SEC-005"
    found = replace(found.ctx, files={"/etc/ssl/ca.pem": NamedFile(content=roots)})
    assert ca_of(found, "file:///etc/ssl/ca.pem-cacert").roots == roots.rstrip() + b"\n"


@pytest.mark.parametrize("name", ["kubernetes-gateway://ns/web", "invalid://", "plain"])
def test_other_kinds_of_names_lead_nowhere(gateway, pair, name):
    assert certificate_of(gateway(pair("a.com").secret("web")).ctx, name).code == "SEC-005"


def test_names_are_istios():
    assert resource_name("web") == "kubernetes://web"
    assert resource_name("kubernetes://web") == "kubernetes://web"
    assert resource_name("sds://web") == "kubernetes://web"
    assert resource_name("configmap://ns/web") == "configmap://ns/web"
    assert is_ca("kubernetes://web-cacert") and not is_ca("kubernetes://web")


def test_a_certificate_and_a_ca_of_one_secret_have_two_names(gateway, pair):
    text = pair("a.com").secret("web", ca__crt=pair("ca").certificate)
    certificates, roots = secret_resources(
        gateway(text).ctx, PersistentMap(dict.fromkeys({NAME, NAME + "-cacert"}, True))
    )
    assert isinstance(certificates[0], Certificate) and isinstance(roots[0], TrustedCa)
    assert "key" not in repr(certificates[0])
