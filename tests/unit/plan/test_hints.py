import pytest

from tests.harness.plans import QUIC, SITE, TCP, planned

OPERATOR = """---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "true"}}}
  meshConfig: {defaultConfig: {concurrency: 1}}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      k8s: {service: {ports: [{name: tcp, port: 443, targetPort: 8443}, {name: udp, port: 443, targetPort: 8443, protocol: UDP}]}}
"""
NEXT = "---\n" + SITE.split("---\n")[1].replace("name: web", "name: next")
WITH = SITE + OPERATOR + NEXT


@pytest.mark.parametrize(
    ("old", "new", "listener", "hint"),
    [
        (
            "hosts: [a.example.com]\n    tls",
            "hosts: [a.example.com, b.example.com]\n    tls",
            TCP,
            "a server of their own",
        ),
        ("name: https,", "name: https-new,", TCP, "as long as these stay, connections stay"),
        ("credentialName: web", "credentialName: next", QUIC, "into the Secret that is named now"),
        ("mode: SIMPLE", "mode: SIMPLE, minProtocolVersion: TLSV1_3", TCP, "come again at once"),
        (
            "concurrency: 1",
            "connectionSettings: {listenerPerConnectionBufferLimitBytes: 9}",
            QUIC,
            "emptied first",
        ),
        ("concurrency: 1", "concurrency: 2", None, "started anew"),
        ('LISTENERS: "true"', 'LISTENERS: "false"', QUIC, "go back to TCP"),
        ("number: 443", "number: 9443", TCP, "beside the old one first"),
        ("192.0.2.1", "192.0.2.2", TCP, ""),
    ],
)
def test_the_milder_way_is_told(old: str, new: str, listener: str | None, hint: str) -> None:
    assert WITH.count(old) == 1
    plan = planned(WITH, WITH.replace(old, new))
    hints = [
        one.hint for one in plan.changes if one.listener == listener and one.host in (None, "a.example.com")
    ]

    assert hints[0] == hint == "" or hint in hints[0]


def test_a_secret_that_goes_stays_with_envoy() -> None:
    parts = SITE.split("---\n")
    [one, *_] = planned(SITE, "---\n".join((parts[0], *parts[2:]))).changes

    assert one.effect.value == "certificate"
    assert "as long as it runs" in one.hint


def test_that_no_endpoint_is_left_is_told() -> None:
    [one, *_] = planned(SITE, SITE.replace("[{address: 192.0.2.1}]", "[]")).changes

    assert (one.effect.value, one.hint) == ("endpoints", "No endpoint is left: requests get 503.")


def test_the_key_of_connection_ids_is_for_the_balancer_too() -> None:
    policy = """---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: edge, namespace: istio-system}
spec: {connectionIds: {encryptionSecret: balancer}}
---
apiVersion: v1
kind: Secret
metadata: {name: balancer, namespace: istio-system}
stringData: {encryption_key: 00112233445566778899aabbccddeeff}
data: {configuration_version: Mg==}
"""
    [one] = planned(SITE + policy, SITE + policy.replace("eeff", "eef0")).changes

    assert (one.effect.value, one.listener, one.host) == ("certificate", QUIC, None)
    assert "balancer must know both" in one.hint
