"""What an Envoy of a test is told, without a control plane."""

from dataclasses import replace

from mizzen.envoy.config import EnvoyConfig
from mizzen.http3.session_tickets import KEY_BYTES
from mizzen.model.listener import HttpService
from mizzen.pipeline import to_snapshot
from mizzen.xds.snapshot import Snapshot


def held(config: EnvoyConfig) -> Snapshot:
    """All of a configuration, and keys of session tickets where it asks for them: without these QUIC makes no handshake.

    Less what belongs to servers that answer nobody: no listener refers to it, so Envoy never asks for it.
    """
    asks = any(listener.gives_tickets for listener in config.model.listeners)
    unasked = _unasked(config)
    bodies = {
        url: named.updated({}, unasked.intersection(named)) if unasked.intersection(named) else named
        for url, named in config.bodies.items()
    }
    return to_snapshot(replace(config, bodies=bodies), None, ticket_keys=[bytes(KEY_BYTES)] if asks else [])


def _unasked(config: EnvoyConfig) -> frozenset[str]:
    """Announcements and route tables of servers that have no filter chain."""
    services = [
        chain.serve
        for listener in config.model.listeners
        for chain in listener.chains
        if isinstance(chain.serve, HttpService)
    ]
    asked = {service.announcement for service in services} | {service.route_table for service in services}
    of_servers = {one.name for one in config.model.announcements}
    return frozenset((of_servers | {name.partition("/")[2] for name in of_servers}) - asked)
