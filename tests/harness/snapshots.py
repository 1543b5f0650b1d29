"""What an Envoy of a test is told, without a control plane."""

from mizzen.envoy.config import EnvoyConfig
from mizzen.http3.session_tickets import KEY_BYTES
from mizzen.pipeline import to_snapshot
from mizzen.xds.snapshot import Snapshot


def held(config: EnvoyConfig) -> Snapshot:
    """All of a configuration, and keys of session tickets where it asks for them: without these QUIC makes no handshake."""
    asks = any(listener.gives_tickets for listener in config.model.listeners)
    return to_snapshot(config, None, ticket_keys=[bytes(KEY_BYTES)] if asks else [])
