"""What nobody but its owner may see, left out of what is shown: the one place that decides it.

`hidden` is for values (Envoy's configuration as protobuf JSON, objects of a cluster), `hidden_text` for lines of
text (messages, logs). A value is secret by what it is (a private key, a JSON Web Key with a private part, a token,
a password in a URL) or by what it is called (a header that a route sets or compares, a field of somebody's own
configuration). What is secret is replaced, so that it can be seen that something was there. Names and references
of secrets stay: without them nobody could help.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

REDACTED = "[redacted]"  # Envoy's own word in its config_dump

_REDACTED_BYTES = base64.b64encode(REDACTED.encode()).decode()
_JWK_PRIVATE = frozenset({"k", "d", "p", "q", "dp", "dq", "qi", "oth"})  # RFC 7518, sections 6.2 to 6.4
# Words in the names of headers and fields, between anything that is no letter.
_SECRET_WORDS = re.compile(
    r"(?<![a-z])(x-?)?(auth|authorization|authentication|bearer|cookies?|credentials?|jwt|otp|pass(code|phrase|wd|word)?"
    r"|private|pwd|secrets?|sess|session|sid|sig|signature|tokens?|verify)(?![a-z])|keys?(?![a-z])"
)
# Under a secret name, these tell of a secret without telling it.
_TELLS = frozenset({"@type", "cluster", "name", "namespace", "path", "client", "client_id", "clientId"})
# Subtrees in the words of others, in which any name may be that of a secret.
_FOREIGN = frozenset({"lua", "patch", "pluginConfig", "vmConfig", "wasm"})
_COMPARED = frozenset(  # what a header is compared with; see _plain
    {"stringmatch", "exactmatch", "prefixmatch", "suffixmatch", "containsmatch", "saferegexmatch"}
)
_PUBLIC = frozenset({"sec-websocket-key"})  # of a handshake that is ours: RFC 6455's sample
_CONDITION = re.compile(r"request\.headers\[(?P<name>[^\]]*)\]")
_COMMANDS = re.compile(r"(%[A-Z0-9_]+(\([^)]*\))?(:\d+)?%)+")
_LOOKS_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=-]{20,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]{60,}={0,2}\s*")

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        "[a private key was here]",
    ),
    # The same in base64; certificates ("-----BEGIN CERT") are public.
    (re.compile(r"LS0tLS1CRUdJTi(?!BDRVJU)[\w+/=]{20,}"), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*"), REDACTED),  # a token: RFC 7515
    (re.compile(r"\bmizzen-join\.[0-9a-f]+\.[0-9a-f]+"), REDACTED),
    (re.compile(r"\bmizzen-proof-[0-9a-f]{64}"), REDACTED),
    (re.compile(r"\b(Bearer|Basic|Digest|Negotiate|ApiKey)\s+[^\s\"',;\\]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"']+@", re.IGNORECASE), rf"\1{REDACTED}@"),
    (
        re.compile(
            r"([?&](?:access_|id_|refresh_|api_?|client_|auth_?)?(?:token|key|secret|password|sig|signature|code|pwd)=)"
            r"[^&\s\"'#]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # As Envoy writes messages that it refused, and headers in its log.
    (re.compile(r"(inline_(?:string|bytes):\s*)\"(?:[^\"\\]|\\.)*\""), rf'\1"{REDACTED}"'),
    (
        re.compile(
            r"(\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key)['\"]?\s*[:,]\s*['\"]?)[^'\"\r\n]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # The private part of a key in JSON, quoted once or twice.
    (re.compile(r"(\\?\"(?:k|d|p|q|dp|dq|qi)\\?\"\s*:\s*\\?\")[\w=+/-]{4,}"), rf"\1{REDACTED}"),
)
# Every text that a form fits has one of these: most have none, and there may be a million.
_SIGNS = re.compile(
    r"-----BEGIN|LS0tLS1|eyJ|mizzen-(?:join|proof)|(?:Bearer|Basic|Digest|Negotiate|ApiKey)\s|[@=]|inline_|authorization|cookie"
    r"|x-api-key|key:|\"[dpqk]",
    re.IGNORECASE,
)
_TEXT_PAIR = re.compile(r"(key:\s*\"(?P<name>[^\"]*)\"\s*(?:raw_)?value:\s*)\"(?:[^\"\\]|\\.)*\"")


def is_secret_name(name: str) -> bool:
    """Is what a header or field of this name holds usually a secret?"""
    split = re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).lower().replace("apikey", "api-key")
    return _SECRET_WORDS.search(split) is not None


def hidden(value: Any) -> Any:
    """The same value without what is secret in it. For plain JSON values; nothing is changed in place."""
    return _walked(value, _field)


def hidden_text(text: str) -> str:
    """The same text without what is secret in it by its form."""
    if '"kty"' in text and text.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(hidden(json.loads(text)))
        except (ValueError, RecursionError):
            return REDACTED
    if _BASE64.fullmatch(text) and _holds_a_key(text):
        return REDACTED
    if _SIGNS.search(text) is None:
        return text
    for pattern, instead in _FORMS:
        text = pattern.sub(instead, text)
    return _TEXT_PAIR.sub(
        lambda found: f'{found[1]}"{REDACTED}"' if is_secret_name(found["name"]) else found[0], text
    )


def hidden_document(text: str) -> str:
    """The same JSON, or any other text, without what is secret in it: by its place, or by its form."""
    if text.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            return json.dumps(hidden(json.loads(text)), indent=1)
    return hidden_text(text)


def _holds_a_key(text: str) -> bool:
    try:
        content = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return False
    return b"PRIVATE KEY-----" in content or b'"kty"' in content


# --- values -----------------------------------------------------------------------------------------


def _plain(name: str) -> str:
    """A field's name in either of its spellings: string_match, stringMatch."""
    return name.replace("_", "").lower()


_Field = Callable[[str, Any], Any]


def _walked(value: Any, of_field: _Field) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, of_field)
    if isinstance(value, list | tuple):
        return [_walked(item, of_field) for item in value]
    return hidden_text(value) if isinstance(value, str) else value


def _mapping(value: Mapping[str, Any], of_field: _Field) -> dict[str, Any]:
    if "kty" in value:
        return {key: REDACTED if key in _JWK_PRIVATE else part for key, part in value.items()}
    if value.keys() == {"key", "value"} and isinstance(value["value"], str):  # Envoy's HeaderValue
        return {"key": value["key"], "value": _of_header(str(value["key"]), value["value"])}
    name = str(value.get("name") or value.get("key") or "")
    condition = _CONDITION.match(name)
    if not is_secret_name(condition["name"] if condition else name):
        return {str(key): of_field(str(key), part) for key, part in value.items()}
    compared = _COMPARED | {"values", "notvalues"} if condition else _COMPARED
    return {
        str(key): _nothing_of(part) if _plain(key) in compared else of_field(str(key), part)
        for key, part in value.items()
    }


def _field(name: str, part: Any) -> Any:
    """A field of an object or message that is known."""
    if _plain(name) == "sessionticketkeys":
        return _nothing_of(part)
    if _plain(name) == "inlinebytes" and isinstance(part, str):
        kept = hidden_text(part)
        return kept if kept == part else _REDACTED_BYTES
    if name in _FOREIGN:
        return _walked(part, _foreign_field)
    if name in ("set", "add") and isinstance(part, Mapping):  # of a VirtualService's headers
        return {str(header): _of_header(str(header), value) for header, value in part.items()}
    if name in ("headers", "withoutHeaders", "queryParams") and isinstance(part, Mapping):  # of its matches
        return {
            str(header): _nothing_of(match) if is_secret_name(str(header)) else _walked(match, _field)
            for header, match in part.items()
        }
    return _walked(part, _field)


def _foreign_field(name: str, part: Any) -> Any:
    """A field in the words of somebody else: what it is called decides."""
    inline = _plain(name) in ("inlinestring", "inlinebytes", "inlinecode")
    if inline or is_secret_name(name):
        return REDACTED if isinstance(part, int | float) else _nothing_of(part)
    return _walked(part, _foreign_field)


def _of_header(name: str, value: Any) -> Any:
    """What routes set on a header. Anybody may name it as he likes, so its looks count, too."""
    text = str(value)
    if _COMMANDS.fullmatch(text) or name.lower() in _PUBLIC:
        return text  # what commands stand for is not known here
    return REDACTED if is_secret_name(name) or _LOOKS_RANDOM.fullmatch(text) else hidden_text(text)


def _nothing_of(value: Any, name: str = "") -> Any:
    """Its shape, and what only names a secret."""
    if isinstance(value, Mapping):
        return {str(key): _nothing_of(part, str(key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_nothing_of(item) for item in value]
    if name in _TELLS and isinstance(value, str):
        return hidden_text(value)
    return REDACTED if isinstance(value, str) else value
