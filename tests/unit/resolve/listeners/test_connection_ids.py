"""The key of connection ids, out of the Secret that a policy names."""

from base64 import b64encode

import pytest

from mizzen.model.quic import ConnectionIdKey
from mizzen.resolve.listeners.connection_ids import connection_id_keys, connection_ids

POLICY = """
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {name: edge, namespace: istio-system}
spec:
  connectionIds: {encryptionSecret: balancer}
"""


def secret(**data):
    lines = "".join(f"  {name}: {b64encode(value).decode()}\n" for name, value in data.items())
    return f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: balancer, namespace: istio-system}}\ndata:\n{lines}"


def keys(ctx):
    return [(one.key, one.version) for one in connection_id_keys(ctx)]


def test_without_a_policy_they_are_made_at_random(gateway):
    ctx = gateway(secret(encryption_key=bytes(16))).ctx

    assert connection_ids(ctx) is None
    assert connection_id_keys(ctx) == ()


@pytest.mark.parametrize(
    ("data", "key", "version"),
    [
        ({"encryption_key": bytes(range(16))}, bytes(range(16)), 0),
        (
            {"encryption_key": b"0123456789abcdef0123456789abcdef\n", "configuration_version": b"6\n"},
            bytes.fromhex("0123456789abcdef" * 2),
            6,
        ),
    ],
)
def test_a_key_and_which_it_is(gateway, data, key, version):
    found = gateway(POLICY + secret(**data))

    assert keys(found.ctx) == [(key, version)]
    assert connection_ids(found.ctx).key == connection_id_keys(found.ctx)[0].name
    assert found.problems == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"encryption_key": b"short"},
        {"encryption_key": b"not hexadecimal, but of 32 bytes"},
        {"encryption_key": bytes(16), "configuration_version": b"7"},
        {"encryption_key": bytes(16), "configuration_version": b"-1"},
        {"encryption_key": bytes(16), "configuration_version": b""},
    ],
)
def test_a_secret_without_a_key_is_told_and_leaves_them_unroutable(gateway, data):
    found = gateway(POLICY + (secret(**data) if data else secret(other=b"a")))

    assert keys(found.ctx) == []
    assert connection_ids(found.ctx) is not None
    assert [(one.code, one.field) for one in found.problems] == [
        ("QLB-001", "spec.connectionIds.encryptionSecret")
    ]


def test_a_key_is_not_shown():
    from mizzen.errors import ResourceRef

    made = ConnectionIdKey(name="a", key=b"0123456789abcdef", version=0, origin=ResourceRef(kind="Secret"))
    assert "0123456789abcdef" not in repr(made)
