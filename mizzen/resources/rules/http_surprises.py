"""What is allowed in a rule of `http` and seldom meant: it is kept, and told."""

import re
from collections.abc import Iterator, Mapping, Sequence

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.virtual_service import HTTPMatchRequest, HTTPRoute, StringMatch
from mizzen.resources.yaml.places import child

# Signs of a regular expression in a path; of a glob (`/api/*`); of a template (`/users/{id}`).
_PATTERN = re.compile(r"\.[*+]|\\|^\^|\$$|\*|\[[^\]/]+\]|\([^)/]*\||\{[^}/]*\}")
_PLAIN_PATTERN = re.compile(r"\.[*+]|\\[dws.]|^\^")  # those that no other text has


def surprises(rules: Sequence[HTTPRoute], found: Findings, *, delegate: bool) -> None:
    """`delegate`: paths may be narrowed by whoever delegates, so nothing is said of rules without any."""
    earlier: set[str] = set()  # prefixes that rules before this one take
    for rule in rules:
        for match in rule.match:
            for text, is_path in _texts(match):
                _pattern(text, is_path, found)
            for text in _compared_whole(match):
                _empty(text, found)
        own = {match.uri.prefix for match in rule.match if match.uri and match.uri.prefix is not None}
        if not found.has_error(rule.at):
            _slashes(rule, own, earlier, found, delegate=delegate)
        earlier |= own


def _texts(match: HTTPMatchRequest) -> Iterator[tuple[StringMatch, bool]]:
    """Each text of a match, and whether it is the path."""
    if match.uri:
        yield match.uri, True
    yield from ((text, False) for text in (match.scheme, match.method, match.authority) if text)
    for texts in (match.headers, match.query_params, match.without_headers):
        yield from ((text, False) for text in texts.values() if text)


def _compared_whole(match: HTTPMatchRequest) -> Iterator[StringMatch]:
    yield from (text for text in (match.uri, match.scheme, match.method, match.authority) if text)
    maps: tuple[Mapping[str, StringMatch | None], ...] = (match.headers, match.without_headers)
    yield from (text for texts in maps for text in texts.values() if text)


def _pattern(text: StringMatch, is_path: bool, found: Findings) -> None:
    signs = _PATTERN if is_path else _PLAIN_PATTERN
    for form, value in (("prefix", text.prefix), ("exact", text.exact)):
        if value is None or not signs.search(value) or (is_path and value == "*"):
            continue
        hint = "Write regex for a regular expression; it must match the whole text."
        if form == "prefix" and value.endswith(("*", ".*")):
            hint = "A prefix takes whatever comes behind it: leave the asterisk out, or write regex."
        found.warning(
            "VAL-104",
            f"{text.at}.{form}",
            f'"{value}": {"an" if form == "exact" else "a"} {form} is no pattern, it is taken letter by letter',
            hint,
        )


def _empty(text: StringMatch, found: Findings) -> None:
    if text.exact == "":
        found.warning(
            "VAL-104",
            f"{text.at}.exact",
            "an empty exact fits only what is there and empty, which is hardly ever sent",
            "Write {} for: it is there, whatever its value; withoutHeaders for: it is not there.",
        )


def _slashes(rule: HTTPRoute, own: set[str], earlier: set[str], found: Findings, *, delegate: bool) -> None:
    """A prefix that is rewritten: is there one slash between what is written and the rest of the path?"""
    written = [(rule.rewrite.at, "uri", rule.rewrite.uri)] if rule.rewrite and rule.rewrite.uri else []
    if rule.redirect and rule.redirect.prefix_rewrite:
        written.append((rule.redirect.at, "prefixRewrite", rule.redirect.prefix_rewrite))
    if not rule.match and not delegate:
        own = {"/"}
    for at, key, new in written:
        for prefix in sorted(own):
            ends = prefix.endswith("/"), new.endswith("/")
            if ends == (False, True) and prefix + "/" not in own | earlier:
                made, hint = f"{new}/x", f'Match "{prefix}/" first, and "{prefix}" (exact) beside it.'
            elif ends == (True, False):
                made, hint = f"{new}x", f'Write "{new}/".'
            else:
                continue
            found.warning(
                "VAL-104",
                child(at, key),
                f'"{prefix}" becomes "{new}": {prefix.removesuffix("/")}/x is sent as {made}, which has '
                f"{'two slashes' if ends[1] else 'no slash'} where they meet",
                hint,
            )
            break
