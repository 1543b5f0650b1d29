"""Connection ids that a balancer can read: HTTP3Policies and Secrets -> ConnectionIds."""

from mizzen.errors import Problem
from mizzen.model.quic import ConnectionIdKey, ConnectionIds
from mizzen.resolve.context import Context, step
from mizzen.resolve.http3_policies import Chosen, chosen, of_workload
from mizzen.resources.kubernetes.core import Secret
from mizzen.resources.mizzen.connection_ids import ConnectionIdSettings
from mizzen.resources.rules.connection_ids import lengths

CODES = {
    "QLB-001": "The key of connection ids is not to be had; no balancer can read them until it is.",
}

_KEY_BYTES, _MOST_VERSION = (
    16,
    6,
)  # AES-128; 7 is what cannot be routed (draft-ietf-quic-load-balancers, section 3.1)
_HOLDS = "It holds encryption_key (16 bytes, or 32 hexadecimal digits) and configuration_version (0 to 6)."


@step
def connection_ids(ctx: Context) -> ConnectionIds | None:
    """How those of a gateway are made; None: at random."""
    found = _chosen(ctx)
    if found is None:
        return None
    server_id, nonce = lengths(found.value)
    return ConnectionIds(
        server_id_bytes=server_id,
        nonce_bytes=nonce,
        key=_name(found),
        origin=found.policy.ref,
        at=found.value.at,
    )


@step
def connection_id_keys(ctx: Context) -> tuple[ConnectionIdKey, ...]:
    """The key that they are encrypted with. Without it Envoy makes such as say that they cannot be routed."""
    found = _chosen(ctx)
    if found is None:
        return ()
    namespace, name = found.policy.namespace, found.value.encryption_secret
    secret = ctx.world.secret_by_key.get((namespace, name))
    if secret is None:
        hint = "A key is in the policy's namespace; of a cluster, Secrets are read where gateways run."
        _refuse(ctx, found, f"there is no Secret {namespace}/{name}", hint)
        return ()
    read = read_key(secret)
    if isinstance(read, str):
        _refuse(ctx, found, f"the Secret {namespace}/{name} holds no key: {read}", _HOLDS)
        return ()
    key, version = read
    return (ConnectionIdKey(name=_name(found), key=key, version=version, origin=secret.ref),)


def read_key(secret: Secret) -> tuple[bytes, int] | str:
    """Key and version in a Secret, or what is wrong with it."""
    key = secret.data.get("encryption_key", b"")
    if len(key.strip()) == 2 * _KEY_BYTES:
        try:
            key = bytes.fromhex(key.strip().decode("ascii"))
        except ValueError:
            return "encryption_key is neither 16 bytes nor hexadecimal"
    if len(key) != _KEY_BYTES:
        return f"encryption_key has {len(key)} bytes"
    text = secret.data.get("configuration_version", b"0").strip()
    if not (text.isdigit() and int(text[:2]) <= _MOST_VERSION and len(text) == 1):
        return "configuration_version is no digit from 0 to 6"
    return key, int(text)


def _chosen(ctx: Context) -> Chosen[ConnectionIdSettings] | None:
    return chosen(of_workload(ctx), lambda spec: spec.connection_ids)


def _name(found: Chosen[ConnectionIdSettings]) -> str:
    """How the key is called over SDS."""
    return f"connection-ids://{found.policy.namespace}/{found.value.encryption_secret}"


def _refuse(ctx: Context, found: Chosen[ConnectionIdSettings], message: str, hint: str) -> None:
    ctx.report(
        Problem(
            code="QLB-001",
            resource=found.policy.ref,
            field=f"{found.value.at}.encryptionSecret",
            message=message,
            hint=hint,
        )
    )
