from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]


def test_a_good_sidecar_is_taken(judge: Judge) -> None:
    ingress = (
        "{port: {number: 80, name: http, protocol: HTTP}, bind: 10.0.0.1, defaultEndpoint: '127.0.0.1:8080'}"
    )
    egress = "{port: {number: 9000, protocol: TCP}, bind: '::1', hosts: ['*/*']}"

    assert judge("Sidecar", f"{{ingress: [{ingress}], egress: [{egress}, {{hosts: ['./*']}}]}}") == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{ingress: [{port: {number: 0}}]}", "error VAL-003 spec.ingress[0].port.number"),
        ("{ingress: [{port: {number: 80}, bind: localhost}]}", "error VAL-013 spec.ingress[0].bind"),
        ("{egress: [{port: {number: 65536}}]}", "error VAL-003 spec.egress[0].port.number"),
        ("{egress: [{port: {number: 80}, bind: 'unix:///run/x'}]}", "error VAL-013 spec.egress[0].bind"),
        ("{egress: [{bind: 'fe80::1%eth0'}]}", "error VAL-013 spec.egress[0].bind"),
    ],
)
def test_what_no_listener_can_be_bound_to_is_told(judge: Judge, spec: str, problem: str) -> None:
    assert judge("Sidecar", spec) == [problem]
