"""No secret is shown, wherever it stands; what helps stays."""

import base64
import json
from typing import Any

import pytest

from mizzen.errors import Problem, ResourceRef
from mizzen.redaction import REDACTED, hidden, hidden_text, is_secret_name

MARK = "Hunter2Hunter2"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{MARK}\n-----END EC PRIVATE KEY-----"
JWKS = json.dumps(
    {"keys": [{"kty": "oct", "kid": "one", "k": MARK}, {"kty": "RSA", "n": "public", "d": MARK}]}
)


def header(name: str, value: str = MARK) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}


@pytest.mark.parametrize(
    "value",
    [
        *(
            header(name)
            for name in ("Authorization", "cookie", "x-api-key", "X-Origin-Verify", "set-cookie", "apikey")
        ),
        header("x-backend", f"Bearer {MARK}"),
        header("x-backend", f"eyJhbGciOiJI.{MARK}.{MARK}"),
        header("x-backend", f"{MARK}{MARK}"),  # nobody names a colour so
        {"localJwks": {"inlineString": JWKS}},
        {"spec": {"jwtRules": [{"issuer": "a", "jwks": JWKS}]}},
        {"spec": {"jwtRules": [{"issuer": "a", "jwks": JWKS[:-2]}]}},
        {"kty": "EC", "x": "public", "d": MARK},
        {"http": [{"headers": {"request": {"set": {"authorization": MARK}, "add": {"x-token": MARK}}}}]},
        {"match": [{"headers": {"x-api-key": {"exact": MARK}}, "queryParams": {"token": {"exact": MARK}}}]},
        {"headers": [{"name": "cookie", "stringMatch": {"exact": MARK}}]},
        {"headers": [{"name": "cookie", "string_match": {"exact": MARK}}]},
        {"when": [{"key": "request.headers[x-api-key]", "values": [MARK]}]},
        {"redirect": {"pathRedirect": f"/login?access_token={MARK}&a=b"}},
        {"uri": f"https://user:{MARK}@db.test/x"},
        {"privateKey": {"inlineString": PEM}},
        {"privateKey": {"inlineBytes": base64.b64encode(PEM.encode()).decode()}},
        {"patch": {"value": {"typed_config": {"users": {"inline_string": f"joe:{MARK}"}}}}},
        {"patch": {"value": {"typed_config": {"credentials": [{"key": MARK, "client": "joe"}]}}}},
        {"patch": {"value": {"typed_config": {"clientSecret": MARK, "pin-and-token": [MARK]}}}},
        {
            "pluginConfig": {"basic_auth": {"password": MARK}},
            "vmConfig": {"env": [{"name": "API_KEY", "value": "x"}]},
        },
        [{"deep": [{"deeper": PEM}]}],
    ],
)
def test_a_secret_is_nowhere_in_a_value(value: Any) -> None:
    shown = json.dumps(hidden(value))

    assert MARK not in shown
    assert base64.b64encode(MARK.encode()).decode()[:-4] not in shown


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM[:-20],
        base64.b64encode(PEM.encode()).decode(),
        JWKS,
        f"a line with {json.dumps(JWKS)} in it",
        f'goo.gle/debugonly key: "authorization" value: "{MARK}"',
        f'goo.gle/debugonly local_jwks {{ inline_string: "{MARK} \\" {MARK}" }}',
        f"Authorization: Basic {MARK}",
        f"'cookie', 'session={MARK}'",
        f"https://a.test/?api_key={MARK}",
        f"redis://:{MARK}@cache.test:6379",
        "mizzen-join.00112233.deadbeefHunter".replace("Hunter", ""),
    ],
)
def test_a_secret_is_nowhere_in_a_text(text: str) -> None:
    shown = hidden_text(text)

    assert MARK not in shown and "deadbeef" not in shown
    assert REDACTED in shown or "private key was here" in shown


@pytest.mark.parametrize(
    "value",
    [
        {"name": "outbound|80||shop.default.svc.cluster.local", "altStatName": "a"},
        header("x-served-by", "%HOSTNAME%"),
        header("x-user", "%REQ(x-token)%"),
        header("x-forwarded-token", "%REQ(x-token)%"),
        header("x-colour", "deep blue, almost black"),
        {"tlsCertificateSdsSecretConfigs": [{"name": "kubernetes://web-cred", "sdsConfig": {"ads": {}}}]},
        {"tls": {"mode": "SIMPLE", "credentialName": "web-cred"}},
        {"headers": [{"name": ":authority", "stringMatch": {"exact": "shop.test"}}]},
        {"match": [{"headers": {"x-version": {"exact": "v2"}}}]},
        {"keys": [{"kty": "RSA", "n": "modulus", "e": "AQAB", "kid": "one"}]},
        {
            "patch": {
                "operation": "MERGE",
                "value": {"name": "envoy.filters.http.oauth2", "max_request_headers_kb": 96},
            }
        },
        {"inlineString": "a page for everybody"},
        {
            "certificateChain": {
                "inlineString": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
            }
        },
    ],
)
def test_what_is_no_secret_stays(value: Any) -> None:
    assert hidden(value) == value


def test_references_of_secrets_stay_where_secrets_go() -> None:
    credentials = {
        "client_id": "shop",
        "token_secret": {"name": "token", "sds_config": {"path": "/etc/token"}},
    }

    assert hidden({"patch": {"credentials": credentials}}) == {"patch": {"credentials": credentials}}


@pytest.mark.parametrize(
    "name", ["authority", ":authority", "x-request-id", "content-type", "author", "x-monitor"]
)
def test_ordinary_names_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_no_message_tells_a_secret() -> None:
    problem = Problem(code="A-1", resource=ResourceRef(kind="A"), message=f"got {PEM}", hint=f"Bearer {MARK}")

    assert MARK not in str(problem) + json.dumps(problem.value())


def test_keys_of_session_tickets_are_not_shown() -> None:
    key = base64.b64encode(bytes(range(80))).decode()
    for name, content in (("sessionTicketKeys", "inlineBytes"), ("session_ticket_keys", "inline_bytes")):
        shown = hidden({"name": "session-tickets", name: {"keys": [{content: key}]}})
        assert shown == {"name": "session-tickets", name: {"keys": [{content: REDACTED}]}}
