"""Workloads that no file names: a sidecar says of itself which ports and labels it has.

The control plane makes a WorkloadEntry and a Sidecar of it, as if somebody had written them, while it is
connected. Its namespace and service account are those of its certificate, whatever it says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

import yaml

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.authority.limit import Limiter
from mizzen.lazy import dataclass
from mizzen.resources.formats import checks
from mizzen.resources.raw_objects import RawObject, parse_documents

METADATA = "WORKLOAD"  # in the metadata of an Envoy's node
LONGEST, MOST_PORTS, MOST_LABELS = 32_768, 100, 64
MOST_REGISTERED = 5_000  # of all identities
_OWN_LABEL = "mizzen.dev/workload"  # by which its own Sidecar finds it


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPort:
    """A port that a sidecar opens, and the application's behind it. `name` tells the protocol ("http-api")."""

    name: str
    number: int
    application: int


def workload_metadata(
    address: str, labels: Mapping[str, str], ports: Sequence[WorkloadPort]
) -> dict[str, Any]:
    """What a sidecar says of itself."""
    return {
        "address": address,
        "labels": dict(labels),
        "ports": [{"name": one.name, "number": one.number, "application": one.application} for one in ports],
    }


class Unfit(ValueError):
    """What a workload says of itself cannot be. The message is a sentence for it."""


def registered(node: pb.Node, name: str, identity: Identity) -> tuple[RawObject, ...]:
    """The objects of a workload that says what it is; () when it says nothing. Raises Unfit."""
    if METADATA not in node.metadata.fields:
        return ()
    if checks.fqdn(name):
        raise Unfit("its name is none that a workload can have")
    address, labels, ports = _said(node.metadata.fields[METADATA].string_value)
    meta = {"name": name, "namespace": identity.namespace, "labels": {**labels, _OWN_LABEL: name}}
    entry = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": meta,
        "spec": {
            "address": address,
            "serviceAccount": identity.service_account,
            "ports": {port: number for port, number, _ in ports},
        },
    }
    sidecar = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Sidecar",
        "metadata": {"name": f"{name}-registered", "namespace": identity.namespace},
        "spec": {
            "workloadSelector": {"labels": {_OWN_LABEL: name}},
            "ingress": [
                {
                    "port": {"number": number, "name": port, "protocol": port.partition("-")[0].upper()},
                    "bind": address,
                    "defaultEndpoint": f"127.0.0.1:{application}",
                }
                for port, number, application in ports
            ],
        },
    }
    objects, _ = parse_documents(
        yaml.safe_dump_all([entry, sidecar]), f"registered by {name}.{identity.namespace}"
    )
    return objects


def _said(text: str) -> tuple[str, dict[str, str], list[tuple[str, int, int]]]:
    """Address, labels, and name, number and application of each port. Whoever has a certificate can say anything."""
    if len(text) > LONGEST:
        raise Unfit(f"what it says of itself has more than {LONGEST} characters")
    try:
        said = json.loads(text)
        address, labels, ports = said["address"], dict(said["labels"]), list(said["ports"])
        found = [(one["name"], one["number"], one["application"]) for one in ports[: MOST_PORTS + 1]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unfit("what it says of itself cannot be read") from None
    if len(ports) > MOST_PORTS or len(labels) > MOST_LABELS:
        raise Unfit(f"a workload has up to {MOST_PORTS} ports and {MOST_LABELS} labels")
    if not isinstance(address, str) or not (checks.is_ip(address) or not checks.fqdn(address)):
        raise Unfit("its address is neither an IP address nor a host name")
    if any(not isinstance(one, str) for pair in labels.items() for one in pair) or any(
        checks.label(key, value) for key, value in labels.items()
    ):
        raise Unfit("one of its labels is none")
    for port, *numbers in found:
        if not isinstance(port, str) or checks.dns_label(port):
            raise Unfit("the name of one of its ports is none")
        if any(type(number) is not int or checks.port(number) for number in numbers):
            raise Unfit("the number of one of its ports is none")
    return address, labels, found


@dataclass(slots=True)
class Registrations:
    """The workloads that said themselves what they have, by who connected."""

    number: int = 0  # of changes
    _said: dict[str, tuple[RawObject, ...]] = field(default_factory=dict)
    _limiter: Limiter = field(default_factory=lambda: Limiter(burst=50, per_second=1))

    @property
    def objects(self) -> tuple[RawObject, ...]:
        """What stands for all of them."""
        return tuple(raw for said in self._said.values() for raw in said)

    def __contains__(self, proxy: str) -> bool:
        return proxy in self._said

    def take(self, proxy: str, said: tuple[RawObject, ...], identity: Identity, now: datetime) -> str:
        """Remember what stands for a proxy; why that is refused, or "". The same again costs nothing."""
        if said == self._said.get(proxy):
            return ""
        if len(self._said) >= MOST_REGISTERED or not self._limiter.allows(identity.uri, now):
            return f"workloads of {identity} come too often; try again later"
        self._said[proxy] = said
        self.number += 1
        return ""

    def forget(self, proxy: str) -> None:
        """It is gone."""
        del self._said[proxy]
        self.number += 1
