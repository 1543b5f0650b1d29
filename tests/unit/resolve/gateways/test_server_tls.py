"""How servers end TLS."""

from dataclasses import replace

import pytest

from mizzen.model.tls import ClientAuth
from mizzen.resolve.context import NamedFile
from mizzen.resolve.gateways.server_tls import server_tls
from mizzen.resolve.gateways.servers import merged_servers
from mizzen.resolve.tls.secrets import certificate_of

GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: team}
spec:
  selector: {}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [www.a.com]
    tls: {TLS}
"""
MESH = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {tlsDefaults: {DEFAULTS}}
"""


@pytest.fixture
def tls(gateway, pair):
    """Fields of `tls` -> (ServerTls or None, what was found). Secret `cred` has a pair and a CA."""

    def make(text, more=""):
        secret = pair("www.a.com").secret("cred", ca__crt=pair("ca").certificate)
        found = gateway(GATEWAY.replace("TLS", text) + secret + more)
        [server] = merged_servers(found.ctx)
        return server_tls(found.ctx, server), found

    return make


def test_simple_shows_a_certificate_and_asks_for_none(tls):
    made, found = tls("mode: SIMPLE, credentialName: cred")
    assert made.certificates == ("kubernetes://cred",)
    assert made.client_auth is ClientAuth.NONE
    assert made.verification is None
    assert made.alpn == ("h2", "http/1.1")
    assert not found.problems


PIN, HASH = "0" * 43 + "=", "a" * 64


@pytest.mark.parametrize(
    ("mode", "demand"), [("MUTUAL", ClientAuth.REQUIRED), ("OPTIONAL_MUTUAL", ClientAuth.OPTIONAL)]
)
def test_mutual_verifies_clients_against_the_ca_beside_the_certificate(tls, mode, demand):
    made, found = tls(
        f"mode: {mode}, credentialName: cred, subjectAltNames: [client], verifyCertificateSpki: [{PIN}], "
        f"verifyCertificateHash: [{HASH}], insecureSkipVerify: true"
    )
    assert made.client_auth is demand
    judged = made.verification
    assert judged.ca == "kubernetes://cred-cacert"
    assert judged.subject_alt_names == ("client",)
    assert (judged.spki_pins, judged.certificate_hashes) == ((PIN,), (HASH,))
    assert judged.accept_untrusted
    assert not found.problems


def test_a_ca_of_another_secret_keeps_a_name_that_no_key_pair_has(tls, pair):
    more = pair("x").secret("clients", ca__crt=pair("ca").certificate)
    made, found = tls("mode: MUTUAL, credentialName: cred, caCertCredentialName: clients", more)
    assert made.verification.ca == "kubernetes://clients-cacert"
    assert not found.problems


def test_a_missing_secret_is_reported_where_it_is_named_and_keeps_its_server(tls):
    made, found = tls("mode: MUTUAL, credentialName: nobody")
    assert made.certificates == ("kubernetes://nobody",)
    assert set(found.said) == {("SEC-001", "Gateway/team/gw", "spec.servers[0].tls.credentialName")}


def test_two_certificates_keep_their_order_and_each_is_looked_up(tls):
    made, found = tls("mode: SIMPLE, credentialNames: [cred, nobody]")
    assert made.certificates == ("kubernetes://cred", "kubernetes://nobody")
    assert found.said == [("SEC-001", "Gateway/team/gw", "spec.servers[0].tls.credentialNames[1]")]


def test_istio_mutual_shows_the_proxys_own_certificate_and_takes_workloads_of_the_mesh_alone(tls):
    made, found = tls("mode: ISTIO_MUTUAL")
    assert found.said == []
    assert (made.certificates, made.client_auth) == (("default",), ClientAuth.REQUIRED)
    assert made.verification.ca == "ROOTCA"
    assert made.verification.subject_alt_name_prefixes == ("spiffe://cluster.local/",)


def test_certificates_in_files_are_named_for_who_reads_them(gateway, pair):
    text = GATEWAY.replace("TLS", "mode: SIMPLE, serverCertificate: /c/tls.crt, privateKey: /c/tls.key")
    beside = gateway(text)
    assert server_tls(beside.ctx, merged_servers(beside.ctx)[0]).certificates == (
        "file-cert:/c/tls.crt~/c/tls.key",
    )
    assert beside.codes == []
    own = pair("www.a.com")
    here = {
        "/c/tls.crt": NamedFile(content=own.certificate, may_be_shown=True),
        "/c/tls.key": NamedFile(content=own.key, may_be_shown=True),
    }
    ctx = replace(beside.ctx, files=here)
    (name,) = server_tls(ctx, merged_servers(ctx)[0]).certificates
    assert name == "file:///c/tls.crt~/c/tls.key"
    assert certificate_of(ctx, name).key == own.key
    assert beside.codes == []


def test_a_host_that_no_certificate_is_for_is_told(gateway, pair):
    text = GATEWAY.replace("TLS", "mode: SIMPLE, credentialName: cred").replace(
        "[www.a.com]", "[www.a.com, www.b.com, '*.a.com', ns/deep.x.a.com]"
    )
    found = gateway(text + pair("*.a.com").secret("cred"))
    server_tls(found.ctx, merged_servers(found.ctx)[0])
    assert [(p.code, p.field) for p in found.problems] == [
        ("TLS-005", "spec.servers[0].hosts[1]"),
        ("TLS-005", "spec.servers[0].hosts[3]"),
    ]


def test_the_servers_own_policy_outranks_the_meshs_field_by_field(tls):
    mesh = MESH.replace(
        "DEFAULTS", "minProtocolVersion: TLSV1_3, ecdhCurves: [P-256], cipherSuites: [AES128-SHA]"
    )
    made, _ = tls("mode: SIMPLE, credentialName: cred", mesh)
    assert made.policy.min_version == "1.3"
    assert made.policy.curves == ("P-256",)
    assert made.policy.ciphers == ("AES128-SHA",)
    made, _ = tls(
        "mode: SIMPLE, credentialName: cred, minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_2, "
        "ecdhCurves: [X25519]",
        mesh,
    )
    assert (made.policy.min_version, made.policy.max_version) == ("1.2", "1.2")
    assert made.policy.curves == ("X25519",)
    assert made.policy.ciphers == ("AES128-SHA",)


def test_the_meshs_lowest_version_is_never_below_1_2(tls):
    mesh = MESH.replace("DEFAULTS", "minProtocolVersion: TLSV1_0")
    assert tls("mode: SIMPLE, credentialName: cred", mesh)[0].policy.min_version == "1.2"
    assert tls("mode: SIMPLE, credentialName: cred")[0].policy.min_version == ""


def test_what_envoy_does_not_know_is_left_out_of_lists(tls):
    made, found = tls(
        "mode: SIMPLE, credentialName: cred, ecdhCurves: [P-256, P-224], "
        "cipherSuites: [NONSENSE, AES128-SHA, AES128-SHA, '[AES256-SHA|ALL]', '-NONSENSE']"
    )
    assert made.policy.curves == ("P-256",)
    assert made.policy.ciphers == ("AES128-SHA", "[AES256-SHA|ALL]")
    assert found.codes == ["TLS-004"]


def test_a_server_whose_every_curve_is_unknown_is_not_served_with_others(tls):
    made, found = tls("mode: SIMPLE, credentialName: cred, ecdhCurves: [P-224]")
    assert made is None
    assert found.codes == ["TLS-003"]
