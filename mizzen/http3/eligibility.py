"""Which HTTPS server gets an HTTP/3 mirror. A mirror is never weaker than its TCP twin.

Istio asks for four things (the switch, protocol HTTPS, TLS that ends here, the UDP port on the Service).
The rest is asked because Envoy 1.40 does not keep it over QUIC: it ignores `tls_params` there, and there
is no PROXY protocol over UDP.
"""

from dataclasses import replace
from enum import Enum

from mizzen.lazy import dataclass


class Reason(Enum):
    """Why there is no mirror. The value is the sentence that users read."""

    SWITCHED_OFF = "HTTP/3 is switched off (PILOT_ENABLE_QUIC_LISTENERS)"
    CHOSEN_OFF = "HTTP/3 is switched off"  # by an object, which is named beside it
    UNIX_SOCKET = "a Unix socket has no UDP"
    NO_TLS = "its TLS cannot be set up"
    PROXY_PROTOCOL = "the gateway learns client addresses by the PROXY protocol, which UDP does not have"
    MAX_VERSION = "QUIC speaks TLS 1.3 only, and maxProtocolVersion is lower"
    CURVES = "Envoy does not keep to ecdhCurves over QUIC"
    NO_UDP_PORT = "the gateway's Service does not open the port for UDP"
    OTHER_UDP_TARGET = "the Service leads UDP to another target port than TCP"


# The key exchanges that Envoy offers over QUIC, whatever `ecdhCurves` says.
QUIC_CURVES = frozenset({"X25519MLKEM768", "X25519", "P-256", "P-384"})

# Reasons that the user has chosen: no mirror is expected, nothing is wrong.
BY_CHOICE = frozenset({Reason.SWITCHED_OFF, Reason.CHOSEN_OFF, Reason.UNIX_SOCKET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one HTTPS server that ends TLS here."""

    switched_on: bool  # as the mesh is, where nothing more specific is chosen
    chosen_off: bool = False  # an object says so
    unix_socket: bool
    has_tls: bool
    proxy_protocol: bool
    max_version: str  # "1.0" .. "1.3", "" for Envoy's default
    curves: tuple[str, ...]  # () for Envoy's own choice
    bound_port: int  # TCP
    udp_targets: tuple[int, ...]  # where the Service leads UDP of the server's port number


def why_not(facts: Facts) -> Reason | None:
    """The first reason why a server has no mirror, or None when it gets one."""
    checks = (
        (facts.chosen_off, Reason.CHOSEN_OFF),
        (not facts.switched_on, Reason.SWITCHED_OFF),
        (facts.unix_socket, Reason.UNIX_SOCKET),
        (not facts.has_tls, Reason.NO_TLS),
        (facts.proxy_protocol, Reason.PROXY_PROTOCOL),
        (facts.max_version not in ("", "1.3"), Reason.MAX_VERSION),
        (bool(facts.curves) and not QUIC_CURVES.issubset(facts.curves), Reason.CURVES),
        (not facts.udp_targets, Reason.NO_UDP_PORT),
        (facts.bound_port not in facts.udp_targets, Reason.OTHER_UDP_TARGET),
    )
    return next((reason for applies, reason in checks if applies), None)


def may_linger(facts: Facts) -> bool:
    """May a mirror that clients remember be served on, though nobody wants one any more? Never one that is weaker."""
    return (
        why_not(replace(facts, switched_on=True, chosen_off=False, udp_targets=(facts.bound_port,))) is None
    )
