"""What `mizzen proxy-status` says of each Envoy."""

import pytest

from mizzen.cli.proxy_status import TYPES, sync_row
from mizzen.status import EnvoyStatus, TypeSync


@pytest.mark.parametrize(
    ("whole", "by_host", "shown"),
    [
        ("SYNCED", "", "SYNCED"),
        ("", "SYNCED", "SYNCED"),
        ("", "", "NOT SENT"),
        ("NOT SENT", "SYNCED", "SYNCED"),
        ("SYNCED", "STALE", "STALE"),
        ("ERROR", "STALE", "ERROR"),
    ],
)
def test_routes_are_one_column_however_they_are_sent(whole: str, by_host: str, shown: str) -> None:
    states = {"RDS": whole, "SRDS": by_host}
    types = {kind: TypeSync(state=state) for kind, state in states.items() if state}
    row = sync_row("edge.istio-system", EnvoyStatus(types=types, version="1.40.0"))
    assert row[1 + TYPES.index("RDS")] == shown
    assert row[-1] == "1.40.0"
