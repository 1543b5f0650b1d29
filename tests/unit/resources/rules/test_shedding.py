"""What is refused in the block `shedding` of an HTTP3Policy."""

from datetime import timedelta

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.shedding import SheddingSettings
from mizzen.resources.rules.shedding import validate_shedding


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"recover_at": 79}, []),
        ({"recover_at": 80}, [("VAL-002", "spec.shedding.recoverAt")]),
        ({"after": timedelta(milliseconds=10)}, [("VAL-009", "spec.shedding.after")]),
        ({"calm": timedelta(hours=2)}, [("VAL-009", "spec.shedding.calm")]),
    ],
)
def test_what_is_refused(values, expected):
    findings = Findings(ResourceRef(kind="HTTP3Policy", namespace="shop", name="one"))
    validate_shedding(SheddingSettings(at="spec.shedding", cpu_budget=80, **values), findings)
    assert [(one.code, one.field) for one in findings.all()] == expected
