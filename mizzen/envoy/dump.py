"""An EnvoyConfig as plain JSON values, for people and for `diff`."""

from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SCOPED_ROUTES,
    SECRETS,
    EnvoyConfig,
)
from mizzen.messages.sensitive import without_secrets
from mizzen.redaction import REDACTED, hidden

_SECTIONS = {
    "listeners": LISTENERS,
    "routes": ROUTES,
    "scopedRoutes": SCOPED_ROUTES,
    "clusters": CLUSTERS,
    "endpoints": ENDPOINTS,
    "secrets": SECRETS,
    "extensionConfigs": EXTENSION_CONFIGS,
}
_WHERE_THERE_ARE_ANY = frozenset({"scopedRoutes"})
_FIRST = {"@type": 0, "name": 1}


def dump(config: EnvoyConfig) -> dict[str, Any]:
    """Every resource by kind, sorted by name, in protobuf JSON (lowerCamelCase, an Any with its @type).

    What is secret is redacted. The same config gives the same value, the order of keys included.
    """
    return {
        section: [_as_json(message) for name in config.bodies[url] if (message := config.message(url, name))]
        for section, url in _SECTIONS.items()
        if config.bodies[url] or section not in _WHERE_THERE_ARE_ANY
    }


def _as_json(message: Message) -> Any:
    return _in_order(hidden(json_format.MessageToDict(without_secrets(message))))


def redacted(secret: pb.Secret) -> pb.Secret:
    """The same without the private key."""
    if not secret.tls_certificate.private_key.inline_bytes:
        return secret
    out = pb.Secret()
    out.CopyFrom(secret)
    out.tls_certificate.private_key.inline_bytes = REDACTED.encode()
    return out


def _in_order(value: Any) -> Any:
    """Keys sorted (protobuf maps have no order), the type and the name first."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (_FIRST.get(key, 2), key))
        return {key: _in_order(value[key]) for key in keys}
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    return value
