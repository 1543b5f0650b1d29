"""What is refused and warned of in one rule of `http`."""

from collections.abc import Iterable, Mapping

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.virtual_service import (
    Destination,
    HeaderOperations,
    Headers,
    HTTPMatchRequest,
    HTTPRoute,
    StringMatch,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.http_parts import (
    cors,
    direct_response,
    fault,
    mirrors,
    one_form,
    redirect,
    retries,
    rewrite,
)
from mizzen.resources.yaml.places import child

_AUTHORITY = (":authority", "host")


def validate_http(rule: HTTPRoute, found: Findings, *, delegate: bool, for_gateways: bool) -> None:
    """`delegate`: the VirtualService is one. `for_gateways`: it is for gateways alone, not for the mesh."""
    if delegate and rule.delegate:
        found.error(
            "VAL-002",
            f"{rule.at}.delegate",
            "a delegate cannot delegate further: this VirtualService has no hosts itself",
        )
    _what_it_does(rule, found)
    for match in rule.match:
        _match(match, found, for_gateways=for_gateways)
    if rule.headers:
        _headers(rule.headers, found)
    _one_authority(rule, found)
    if rule.cors_policy:
        cors(rule.cors_policy, found)
    if rule.fault:
        fault(rule.fault, found)
    mirrors(rule, found)
    for mirrored in (rule.mirror, *(mirror.destination for mirror in rule.mirrors)):
        if mirrored:
            destination(mirrored, found)
    if rule.redirect:
        redirect(rule.redirect, rule, found)
    if rule.direct_response:
        direct_response(rule.direct_response, found)
    if rule.retries:
        retries(rule.retries, found)
    if rule.rewrite:
        rewrite(rule.rewrite, found)
    for route in rule.route:
        destination(route.destination, found)
        if route.headers:
            _headers(route.headers, found)
    weights(((route.at, route.weight) for route in rule.route), f"{rule.at}.route", found)
    shared_rules.time(rule.timeout, f"{rule.at}.timeout", found)


def _what_it_does(rule: HTTPRoute, found: Findings) -> None:
    if rule.delegate:
        for key, present in (("route", rule.route), ("redirect", rule.redirect)):
            if present:
                found.error("VAL-002", f"{rule.at}.{key}", f"a rule that delegates cannot have {key}")
        return
    excluded = {
        "redirect": ("route", "fault", "rewrite", "directResponse"),
        "directResponse": ("route", "fault", "rewrite"),
    }
    given = {
        "route": bool(rule.route),
        "redirect": rule.redirect is not None,
        "directResponse": rule.direct_response is not None,
        "fault": rule.fault is not None,
        "rewrite": rule.rewrite is not None,
    }
    for action, others in excluded.items():
        for other in others:
            if given[action] and given[other]:
                found.error("VAL-002", f"{rule.at}.{other}", f"{action} and {other} exclude each other")
    if not (given["route"] or given["redirect"] or given["directResponse"]):
        found.error("VAL-001", rule.at, "a rule needs a route, a redirect or a directResponse")


def _match(match: HTTPMatchRequest, found: Findings, *, for_gateways: bool) -> None:
    if match.uri and match.uri.regex is not None:
        _regex(match.uri.regex, f"{match.uri.at}.regex", found)
    if match.uri:
        one_form(match.uri, found)
    for text in (match.scheme, match.method, match.authority):
        if text:
            _text(text, found)
    for name, query in match.query_params.items():
        if not name:
            found.error("VAL-006", f"{match.at}.queryParams", "a query parameter must have a name")
        elif len(name.encode(errors="replace")) > checks.LONGEST_QUERY_NAME:
            message = f"the name of a query parameter has at most {checks.LONGEST_QUERY_NAME} bytes"
            found.error("VAL-006", child(f"{match.at}.queryParams", name), message)
        if query:
            _text(query, found)
    _header_matches(match.headers, f"{match.at}.headers", found, for_gateways=for_gateways, inverted=False)
    _header_matches(
        match.without_headers, f"{match.at}.withoutHeaders", found, for_gateways=for_gateways, inverted=True
    )
    if match.port:
        shared_rules.port(match.port, f"{match.at}.port", found)
    shared_rules.labels(match.source_labels, f"{match.at}.sourceLabels", found)
    shared_rules.gateways(match.gateways, f"{match.at}.gateways", found, warn=True)
    if match.source_namespace and (wrong := checks.dns_label(match.source_namespace)):
        found.error("VAL-007", f"{match.at}.sourceNamespace", wrong)


def _header_matches(
    matches: Mapping[str, StringMatch | None], at: str, found: Findings, *, for_gateways: bool, inverted: bool
) -> None:
    for name, text in matches.items():
        here = child(at, name)
        if wrong := checks.matched_header(name):
            found.error("VAL-006", here, wrong)
        if checks.claim_path(name) and not for_gateways:
            found.error("VAL-002", here, "the claims of a token can be matched at gateways only")
        if text is None and not inverted:
            found.error("VAL-001", here, "this header match is null", "Write {} for: whatever its value.")
        elif text and not (inverted and text.regex == "*"):  # no pattern; it means: whatever its value
            _text(text, found)


def _text(text: StringMatch, found: Findings) -> None:
    one_form(text, found)
    if text.prefix == "":
        found.error("VAL-001", f"{text.at}.prefix", "the prefix is empty")
    if text.regex is not None:
        _regex(text.regex, f"{text.at}.regex", found)


def _regex(pattern: str, at: str, found: Findings) -> None:
    if wrong := checks.regex(pattern):
        found.error("VAL-005", at, wrong)


def destination(target: Destination, found: Findings) -> None:
    """Where requests or connections go."""
    if target.host == "*":
        found.error("VAL-004", f"{target.at}.host", 'a destination cannot be "*"')
    elif wrong := checks.wildcard_domain(target.host):
        found.error("VAL-004", f"{target.at}.host", wrong)
    if target.subset and (wrong := checks.dns_label(target.subset)):
        found.error("VAL-007", f"{target.at}.subset", wrong)
    if target.port:
        shared_rules.port(target.port.number, f"{target.port.at}.number", found)


def weights(weighted: Iterable[tuple[str, int]], at: str, found: Findings) -> None:
    """The shares of several destinations. They need not sum up to 100."""
    shares = list(weighted)
    for here, weight in shares:
        if weight < 0:
            found.error("VAL-003", f"{here}.weight", f"the weight {weight} is less than 0")
    if (whole := sum(weight for _, weight in shares)) > checks.MOST_WEIGHT:
        message = f"the weights sum up to {whole}; at most {checks.MOST_WEIGHT} are allowed"
        found.error("VAL-003", at, message, "Give smaller weights: what counts is how they compare.")
    if len(shares) > 1 and sum(weight for _, weight in shares) == 0:
        found.error("VAL-003", at, "all weights are 0: nothing would be sent anywhere", "Give weights.")


def _headers(headers: Headers, found: Findings) -> None:
    if headers.request:
        _operations(headers.request, found, authority=True)
    if headers.response:
        _operations(headers.response, found, authority=False)


def _operations(operations: HeaderOperations, found: Findings, *, authority: bool) -> None:
    for key, pairs in (("set", operations.set), ("add", operations.add)):
        for name, value in pairs.items():
            at = child(f"{operations.at}.{key}", name)
            if wrong := _operated_header(name, authority=authority):
                found.error("VAL-006", at, wrong)
            if wrong := checks.header_value(value):
                found.error("VAL-006", at, wrong)
            elif name.lower() in _AUTHORITY:
                shared_rules.sent_host(value, at, found)
    if len(operations.set) + len(operations.add) > checks.MOST_HEADERS:
        found.error("VAL-003", operations.at, f"more than {checks.MOST_HEADERS} headers are set and added")
    for index, name in enumerate(operations.remove):
        if wrong := _operated_header(name, authority=False):
            found.error("VAL-006", f"{operations.at}.remove[{index}]", wrong)


def _operated_header(name: str, *, authority: bool) -> str:
    if name.lower() in _AUTHORITY:
        return "" if authority else f'"{name}" can be set on requests only, and never removed'
    if name.startswith(":"):
        return f'"{name}" cannot be changed by headers'
    return checks.token(name)


def _one_authority(rule: HTTPRoute, found: Findings) -> None:
    request = rule.headers.request if rule.headers else None
    setters = [f"{rule.rewrite.at}.authority"] if rule.rewrite and rule.rewrite.authority else []
    if request:
        for key, pairs in (("set", request.set), ("add", request.add)):
            setters += [child(f"{request.at}.{key}", name) for name in pairs if name.lower() in _AUTHORITY]
    for again in setters[1:]:
        found.error("VAL-002", again, f"the authority is already set by {setters[0]}")
