"""What is refused in the block `connectionIds` of an HTTP3Policy."""

import pytest

from mizzen.errors import ResourceRef
from mizzen.http3.server_ids import LONGEST
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.connection_ids import MOST_BYTES, ConnectionIdSettings
from mizzen.resources.rules.connection_ids import lengths, validate_connection_ids


def judged(secret="balancer", **values):
    findings = Findings(ResourceRef(kind="HTTP3Policy", namespace="shop", name="one"))
    validate_connection_ids(ConnectionIdSettings(at="spec.c", encryption_secret=secret, **values), findings)
    return [(one.code, one.field) for one in findings.all()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (4, 12)),
        ({"server_id_length": 1}, (1, 12)),
        ({"server_id_length": 8}, (8, 10)),
        ({"server_id_length": LONGEST}, (LONGEST, 4)),
        ({"nonce_length": 4}, (4, 4)),
    ],
)
def test_what_is_not_written_gives_way(values, expected):
    assert lengths(ConnectionIdSettings(encryption_secret="a", **values)) == expected
    assert sum(expected) <= MOST_BYTES
    assert judged(**values) == []


def test_both_find_room():
    assert judged(server_id_length=8, nonce_length=11) == [("VAL-013", "spec.c.nonceLength")]


@pytest.mark.parametrize(("name", "code"), [("", "VAL-001"), ("a/b", "VAL-013")])
def test_a_secret_has_a_name(name, code):
    assert judged(name) == [(code, "spec.c.encryptionSecret")]
