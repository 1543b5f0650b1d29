"""Workloads that no file names: a sidecar says of itself which ports and labels it has.

The control plane makes a WorkloadEntry and a Sidecar of it, as if somebody had written them, while it is
connected. Its namespace and service account are those of its certificate, whatever it says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.resources.yaml import RawObject, parse_documents

METADATA = "WORKLOAD"  # in the metadata of an Envoy's node
_OWN_LABEL = "mizzen.io/workload"  # by which its own Sidecar finds it


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


def registered(node: pb.Node, name: str, identity: Identity) -> tuple[RawObject, ...]:
    """The objects of a workload that says what it is; () when it says nothing, or nothing that makes sense."""
    if METADATA not in node.metadata.fields:
        return ()
    try:
        said = json.loads(node.metadata.fields[METADATA].string_value)
        ports = [(str(one["name"]), int(one["number"]), int(one["application"])) for one in said["ports"]]
        labels = {str(key): str(value) for key, value in said["labels"].items()}
        address = str(said["address"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
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
