"""Authorizers as meshConfig declares them: Istio's names of fields, and room for those that are not known here."""

from collections.abc import Callable
from typing import Any

TEXT = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: m, namespace: n}
spec: {meshConfig: {extensionProviders: [PROVIDER]}}
"""


def test_numbers_of_statuses_are_as_good_as_texts(read: Callable[[str], Any]) -> None:
    provider = "{name: a, envoyExtAuthzGrpc: {service: a.test, port: 1, statusOnError: 503}}"
    world, problems = read(TEXT.replace("PROVIDER", provider))
    assert problems == ()
    [made] = world.operators[0].spec.mesh_config.extension_providers
    assert made.envoy_ext_authz_grpc.status_on_error == "503"


def test_a_field_of_tomorrow_is_a_warning(read: Callable[[str], Any]) -> None:
    provider = "{name: a, envoyExtAuthzHttp: {service: a.test, port: 1, moon: full}}"
    _, problems = read(TEXT.replace("PROVIDER", provider))
    assert [problem.severity.name for problem in problems] == ["WARNING"]
