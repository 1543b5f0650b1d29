"""Profiles: what is installed where nobody says otherwise, as the `spec` of an IstioOperator."""

from collections.abc import Mapping
from typing import Any

INGRESS, EGRESS = "istio-ingressgateway", "istio-egressgateway"


def _profile(name: str, *, pilot: bool = True, ingress: bool = False, egress: bool = False) -> dict[str, Any]:
    return {
        "profile": name,
        "components": {
            "base": {"enabled": pilot},
            "pilot": {"enabled": pilot},
            "ingressGateways": [{"name": INGRESS, "enabled": ingress}],
            "egressGateways": [{"name": EGRESS, "enabled": egress}],
        },
    }


def _small(cpu: str, memory: str) -> dict[str, Any]:
    return {"k8s": {"resources": {"requests": {"cpu": cpu, "memory": memory}}}}


def _demo() -> dict[str, Any]:
    """Everything on, every request traced and logged, and little asked of the nodes."""
    found = _profile("demo", ingress=True, egress=True)
    components = found["components"]
    components["pilot"] |= _small("10m", "100Mi")
    components["ingressGateways"][0] |= _small("10m", "40Mi")
    components["egressGateways"][0] |= _small("10m", "40Mi")
    values = {"pilot": {"autoscaleEnabled": False, "traceSampling": 100}}
    return {**found, "meshConfig": {"accessLogFile": "/dev/stdout"}, "values": values}


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "default": _profile("default", ingress=True),
    "minimal": _profile("minimal"),
    "demo": _demo(),
    "empty": _profile("empty", pilot=False),
}

# Laid over the profile where no file says what is wanted: HTTP/3 on, as on one machine.
WITHOUT_FILES: Mapping[str, Any] = {
    "values": {"pilot": {"env": {"PILOT_ENABLE_QUIC_LISTENERS": "true"}}},
}
HTTP3_PORTS = (
    {"name": "status-port", "port": 15021, "targetPort": 15021},
    {"name": "http2", "port": 80, "targetPort": 8080},
    {"name": "https", "port": 443, "targetPort": 8443},
    {"name": "http3", "port": 443, "targetPort": 8443, "protocol": "UDP"},
)
