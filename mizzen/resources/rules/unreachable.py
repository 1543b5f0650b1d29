"""Rules and matches of a VirtualService that no request can meet, because an earlier one takes them all."""

import dataclasses
from collections.abc import Mapping, Sequence

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.virtual_service import (
    HTTPMatchRequest,
    HTTPRoute,
    StringMatch,
    TCPRoute,
    TLSRoute,
    VirtualServiceSpec,
)

Rule = HTTPRoute | TLSRoute | TCPRoute

_ASKED = tuple(one.name for one in dataclasses.fields(HTTPMatchRequest) if one.compare and one.name != "name")
_BESIDE_THE_PATH = tuple(name for name in _ASKED if name not in ("stat_prefix", "uri", "ignore_uri_case"))
_NOTHING = {name: getattr(HTTPMatchRequest(), name) for name in _ASKED}


def unreachable(spec: VirtualServiceSpec, found: Findings) -> None:
    """Warn of what is never used. Traffic is not touched: the earlier rule wins anyway."""
    for rules in (spec.http, spec.tls, spec.tcp):
        if len(rules) > 1 or any(len(rule.match) > 1 for rule in rules):
            _walk(rules, found)


def _walk(rules: Sequence[Rule], found: Findings) -> None:
    everything = ""  # where the rule or match stands that takes every request
    whole = False  # it is a rule without match
    seen: dict[str, str] = {}  # a match, its name aside -> where it stands
    prefixes: dict[str, list[HTTPMatchRequest]] = {}
    for rule in rules:
        if everything and (whole or not rule.match):
            found.warning(
                "VAL-101",
                rule.at,
                f"no request comes here: {everything} takes them all",
                "Move what takes every request to the end.",
            )
            continue
        idle = 0
        for match in rule.match:
            key = _asked(match) if isinstance(match, HTTPMatchRequest) else repr(match)
            cover = everything or seen.get(key) or ""
            if isinstance(match, HTTPMatchRequest):
                cover = cover or _covering(match, prefixes)
                everything = everything or (match.at if _takes_everything(match) else "")
            if cover:
                idle += 1
                found.warning("VAL-101", match.at, f"no request comes here: {cover} takes them all")
            seen.setdefault(key, match.at)
            if isinstance(match, HTTPMatchRequest) and match.uri and match.uri.prefix is not None:
                prefixes.setdefault(match.uri.prefix, []).append(match)
        if rule.match and idle == len(rule.match) and idle > 1:
            found.warning("VAL-101", rule.at, "no request comes here: earlier rules take all of its matches")
        if not rule.match:
            everything, whole = everything or rule.at, True


def _covering(later: HTTPMatchRequest, prefixes: Mapping[str, list[HTTPMatchRequest]]) -> str:
    """Where an earlier prefix match stands that takes all that this one could."""
    text = (later.uri.exact if later.uri.prefix is None else later.uri.prefix) if later.uri else None
    if text is None:
        return ""
    for length in range(len(text) + 1):
        for earlier in prefixes.get(text[:length], ()):
            if _takes_all(earlier, later):
                return earlier.at
    return ""


def _asked(match: HTTPMatchRequest) -> str:
    """All that it asks for (its name aside): equal for matches that take the same requests."""
    return repr([(name, value) for name in _ASKED if (value := getattr(match, name)) != _NOTHING[name]])


def _takes_everything(match: HTTPMatchRequest) -> bool:
    """It asks for nothing but a path, and for any."""
    path = match.uri
    anything = path is None or path.prefix == "/" or path.regex == ".*"
    return anything and all(getattr(match, name) == _NOTHING[name] for name in _BESIDE_THE_PATH)


def _takes_all(earlier: HTTPMatchRequest, later: HTTPMatchRequest) -> bool:
    return (
        _same_scope(earlier, later)
        and _covers(earlier.method, later.method)
        and _covers(earlier.authority, later.authority)
        and _covers(earlier.scheme, later.scheme)
        and _covers_each(earlier.headers, later.headers)
        and _covers_each(earlier.query_params, later.query_params)
        and earlier.without_headers == later.without_headers
    )


def _same_scope(earlier: HTTPMatchRequest, later: HTTPMatchRequest) -> bool:
    return (
        earlier.port == later.port
        and earlier.gateways == later.gateways
        and earlier.source_labels == later.source_labels
        and earlier.source_namespace == later.source_namespace
        and earlier.ignore_uri_case == later.ignore_uri_case
    )


def _covers_each(earlier: Mapping[str, StringMatch | None], later: Mapping[str, StringMatch | None]) -> bool:
    return earlier.keys() == later.keys() and all(_covers(earlier[key], later[key]) for key in earlier)


def _covers(wide: StringMatch | None, narrow: StringMatch | None) -> bool:
    if wide is None or wide == narrow:
        return True
    if narrow is None or wide.prefix is None:
        return False
    start = narrow.exact if narrow.prefix is None else narrow.prefix
    return start is not None and start.startswith(wide.prefix)
