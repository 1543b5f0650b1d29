from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
AT = "spec.servers[0]"


def server(
    port: str = "number: 443, name: https, protocol: HTTPS",
    rest: str = "hosts: [a.b], tls: {mode: SIMPLE, credentialName: c}",
) -> str:
    return f"{{servers: [{{port: {{{port}}}, {rest}}}]}}"


def tls(settings: str, protocol: str = "HTTPS") -> str:
    return server(f"number: 443, name: x, protocol: {protocol}", f"hosts: [a.b], tls: {{{settings}}}")


@pytest.mark.parametrize(
    "spec",
    [
        server(),
        server("number: 80, name: http, protocol: http", "hosts: ['*']"),
        server("number: 80, name: http, protocol: GRPC-Web", "hosts: [a.b], tls: {httpsRedirect: true}"),
        server("number: 9000, name: tcp, protocol: TCP", "hosts: ['*'], bind: 127.0.0.1"),
        server("number: 0, name: x, protocol: HTTP", "hosts: ['*'], bind: 'unix:///run/x'"),
        server(
            rest="hosts: [ns/a.b, ./b.c, '*/d.e', '*.x.y', 1.2.3.4], tls: {mode: SIMPLE, credentialNames: [a, b]}"
        ),
        tls("mode: PASSTHROUGH", "TLS"),
        tls("mode: SIMPLE, serverCertificate: /a, privateKey: /b"),
        tls("mode: MUTUAL, serverCertificate: /a, privateKey: /b, caCertificates: /c, caCrl: /d"),
        tls("mode: SIMPLE, tlsCertificates: [{serverCertificate: /a, privateKey: /b}]"),
        tls("mode: ISTIO_MUTUAL"),
        tls("mode: SIMPLE, credentialName: c, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256, '-X']"),
    ],
)
def test_a_good_gateway_is_taken(judge: Judge, spec: str) -> None:
    assert judge("Gateway", spec) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{}", "error VAL-001 spec.servers"),
        ("{servers: [{hosts: [a.b]}]}", f"error FLD-003 {AT}.port"),
        (server(rest="hosts: [], tls: {credentialName: c, mode: SIMPLE}"), f"error VAL-001 {AT}.hosts"),
        (server("number: 70000, name: x, protocol: HTTP", "hosts: [a.b]"), f"error VAL-003 {AT}.port.number"),
        (server("number: 0, name: x, protocol: HTTP", "hosts: [a.b]"), f"error VAL-003 {AT}.port.number"),
        (server("number: '80', name: x, protocol: HTTP", "hosts: [a.b]"), f"error FLD-002 {AT}.port.number"),
        (server("number: 80, name: x, protocol: HTPP", "hosts: [a.b]"), f"error VAL-012 {AT}.port.protocol"),
        (server("number: 80, name: '', protocol: HTTP", "hosts: [a.b]"), f"error VAL-001 {AT}.port.name"),
        (
            server("number: 80, name: x, protocol: HTTP, targetPort: 1", "hosts: [a.b]"),
            f"error VAL-002 {AT}.port.targetPort",
        ),
        (
            server("number: 80, name: x, protocol: HTTP", "hosts: [a.b], bind: here"),
            f"error VAL-013 {AT}.bind",
        ),
        (
            server("number: 0, name: x, protocol: HTTP", "hosts: [a.b], bind: 'unix://x'"),
            f"error VAL-013 {AT}.bind",
        ),
        (
            server("number: 80, name: x, protocol: HTTP", "hosts: [a.b], bind: 'unix:///x'"),
            f"error VAL-002 {AT}.port.number",
        ),
        (server(rest="hosts: [a.b]"), f"error VAL-001 {AT}.tls"),
        (
            server(
                "number: 80, name: x, protocol: HTTP", "hosts: [a.b], tls: {mode: SIMPLE, credentialName: c}"
            ),
            f"error VAL-002 {AT}.tls",
        ),
        (server("number: 80, name: x, protocol: TCP", "hosts: [a.b], tls: {}"), f"error VAL-002 {AT}.tls"),
        (tls("mode: ISTIO_MUTUAL, credentialName: c"), f"error VAL-002 {AT}.tls.credentialName"),
        (
            tls("mode: SIMPLE, credentialName: c, credentialNames: [d]"),
            f"error VAL-002 {AT}.tls.credentialNames",
        ),
        (tls("mode: SIMPLE, credentialNames: [a, b, c]"), f"error VAL-003 {AT}.tls.credentialNames"),
        (
            tls("mode: MUTUAL, serverCertificate: /a, privateKey: /b"),
            f"error VAL-001 {AT}.tls.caCertificates",
        ),
        (
            tls("mode: SIMPLE, serverCertificate: /a, privateKey: /b, caCrl: /c"),
            f"error VAL-002 {AT}.tls.caCrl",
        ),
        (
            tls("mode: SIMPLE, tlsCertificates: [{serverCertificate: /a}]"),
            f"error VAL-001 {AT}.tls.tlsCertificates[0].privateKey",
        ),
        (tls("mode: simple, credentialName: c"), f"error FLD-002 {AT}.tls.mode"),
        (tls("mode: PASSTHROUGH, credentialName: c"), f"warning VAL-103 {AT}.tls.credentialName"),
        (
            tls("mode: SIMPLE, credentialName: c, httpsRedirect: true"),
            f"warning VAL-103 {AT}.tls.httpsRedirect",
        ),
        (
            tls("mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_0"),
            f"warning VAL-103 {AT}.tls.minProtocolVersion",
        ),
        (
            tls("mode: SIMPLE, credentialName: c, cipherSuites: [NOPE]"),
            f"warning VAL-103 {AT}.tls.cipherSuites[0]",
        ),
        (
            tls("mode: SIMPLE, credentialName: c, cipherSuites: [ALL, ALL]"),
            f"warning VAL-103 {AT}.tls.cipherSuites[1]",
        ),
    ],
)
def test_a_mistake_in_a_gateway_is_told_at_its_field(judge: Judge, spec: str, problem: str) -> None:
    assert judge("Gateway", spec) == [problem]


def test_a_server_without_any_certificate_is_told_of_both_halves(judge: Judge) -> None:
    assert judge("Gateway", tls("mode: SIMPLE")) == [f"error VAL-001 {AT}.tls"] * 2


@pytest.mark.parametrize("host", ["foo", "'*foo.com'", "a..b", "/a.b", "ns/", "'~/a.b'", "a_b/c.d", "1.2.3"])
def test_a_host_of_a_gateway_is_whole(judge: Judge, host: str) -> None:
    spec = server("number: 80, name: http, protocol: HTTP", f"hosts: [{host}]")

    assert judge("Gateway", spec) == [f"error VAL-004 {AT}.hosts[0]"]


def test_port_names_are_unique(judge: Judge) -> None:
    one = "{port: {number: 80, name: x, protocol: HTTP}, hosts: [a.b]}"

    assert judge("Gateway", f"{{servers: [{one}, {one}]}}") == ["error VAL-008 spec.servers[1].port.name"]


def test_the_name_of_a_gateway_has_no_dots(read: Callable[..., object]) -> None:
    text = (
        "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: a.b}, "
        "spec: {servers: [{port: {number: 80, name: x, protocol: HTTP}, hosts: [a.b]}]}}"
    )
    _, (problem,) = read(text)  # type: ignore[misc]

    assert (problem.code, problem.field) == ("META-001", "metadata.name")
