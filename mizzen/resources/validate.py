"""Validation of one decoded resource: what Istio's admission webhook and API server refuse or warn of."""

from mizzen.resources.declare import Resource
from mizzen.resources.findings import Findings


def validate(resource: Resource, found: Findings) -> None:
    """Report what is wrong with `resource`, looking at nothing else."""
