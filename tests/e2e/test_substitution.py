"""What is let through in header values, Envoy takes: in one value after the other, many at once."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from mizzen.proxy.binary import envoy_binary
from mizzen.resources.formats import substitution

pytestmark = pytest.mark.e2e

ARGUMENTS = (
    *(
        "",
        "a",
        "x-a",
        ":path",
        "x-a?x-b",
        "?",
        "a b",
        "A/B",
        "(",
        ")",
        "%",
        "%Y-%m-%d",
        "%n",
        "%3f",
        "%E3f",
        "%Q",
        "é",
    ),
    *("a:b", "a:b:c", ":", "a:PLAIN", "a:TYPED", "a:FIELD:b", "a:FIELD", "ROUTE:a", "DYNAMIC:a:b", "X:a"),
    *(
        "WQ",
        "NQ:ORIG",
        ":PATH",
        "ORIG",
        "DECODED",
        "SNI_ONLY",
        "SNI_FIRST:HOST",
        "NUMBER",
        "ALLOW_WHITESPACES",
    ),
    *("0", "16", "129", "-1", "DS_RX_BEG:DS_TX_END", "DS_RX_BEG:DS_TX_END:us", "A:B:xx"),
    *(
        "request.path",
        "request.headers['a']",
        "request.in",
        "request.url_path.size",
        "xds.node",
        "a.b",
        "request.",
    ),
)
PIECES = ("%", "%%", "%PROTOCOL%", "%REQ(a)%", "x", " ", "(", ")", ":3", "%REQ(", ")%", "%1%", "é", ":")


def candidates() -> list[str]:
    chance = random.Random(40)
    names = sorted({*substitution._COMMANDS, "ENVIRONMENT", "NOBODY"})
    found = [
        f"%{name}{brackets}{length}%"
        for name in names
        for brackets in ("", *(f"({one})" for one in ARGUMENTS))
        for length in ("", ":0", ":3", ":999999999")
    ]
    found += ["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(3_000)]
    return found


def bootstrap(values: list[str]) -> str:
    headers = [{"header": {"key": f"x-{number}", "value": value}} for number, value in enumerate(values)]
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}, "request_headers_to_add": headers}
    hosts = [{"name": "all", "domains": ["*"], "routes": [{**route, "response_headers_to_add": headers}]}]
    typed = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{typed}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "x",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{typed}.http.router.v3.Router"}}],
    }
    listener = {
        "name": "x",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "x", "typed_config": manager}]}],
    }
    return json.dumps({"static_resources": {"listeners": [listener]}})


def is_taken(values: list[str], file: Path) -> tuple[bool, str]:
    file.write_text(bootstrap(values))
    command = [
        str(envoy_binary()),
        "--mode",
        "validate",
        "-c",
        str(file),
        "-l",
        "critical",
        "--use-dynamic-base-id",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, done.stderr[-300:]


def test_envoy_takes_whatever_is_let_through(tmp_path: Path) -> None:
    # RouteConfiguration: at most 1,000 headers each.
    values = [value for value in candidates() if not substitution.fault(value)]
    assert len(values) > 500
    for first in range(0, len(values), 900):
        taken, why = is_taken(values[first : first + 900], tmp_path / "bootstrap.json")
        assert taken, why


def test_envoy_refuses_the_table_for_one_that_is_not(tmp_path: Path) -> None:
    assert not is_taken(["%CEL(()%"], tmp_path / "bootstrap.json")[0]
