"""What is refused and warned of in the single parts of a rule of `http`."""

from http import HTTPStatus

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.virtual_service import (
    CorsPolicy,
    HTTPDirectResponse,
    HTTPFaultInjection,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRoute,
    Percent,
    StringMatch,
)
from mizzen.resources.rules import shared_rules

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"})
GRPC_STATUSES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
RETRY_CONDITIONS = frozenset(
    {
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    }
)
STATUSES = frozenset(str(status.value) for status in HTTPStatus)
_LONGEST_BODY = 2**20
_LONG_BODY = 100 * 2**10
_LEAST_SHARE = 0.0001  # percent: one in a million


def one_form(text: StringMatch, found: Findings) -> None:
    """exact, prefix or regex."""
    forms = {"exact": text.exact, "prefix": text.prefix, "regex": text.regex}
    given = [form for form, value in forms.items() if value is not None]
    if len(given) > 1:
        found.error("VAL-002", f"{text.at}.{given[1]}", f"only one of {' and '.join(given)} can be given")


def cors(policy: CorsPolicy, found: Findings) -> None:
    for origin in policy.allow_origins:
        one_form(origin, found)
        if not (origin.exact or origin.prefix or origin.regex):
            found.error("VAL-001", origin.at, "an allowed origin cannot be empty")
        elif origin.regex and (wrong := checks.regex(origin.regex)):
            found.error("VAL-005", f"{origin.at}.regex", wrong)
    for index, method in enumerate(policy.allow_methods):
        if method not in METHODS:
            found.error("VAL-012", f"{policy.at}.allowMethods[{index}]", f'"{method}" is no HTTP method')
    for key, names in (("allowHeaders", policy.allow_headers), ("exposeHeaders", policy.expose_headers)):
        for index, name in enumerate(names):
            if name != "*" and (wrong := checks.token(name)):
                found.error("VAL-006", f"{policy.at}.{key}[{index}]", wrong)
    shared_rules.time(policy.max_age, f"{policy.at}.maxAge", found)
    if policy.max_age and policy.max_age.microseconds and policy.max_age >= checks.SHORTEST:
        found.error("VAL-009", f"{policy.at}.maxAge", "maxAge is told in whole seconds")


def fault(injected: HTTPFaultInjection, found: Findings) -> None:
    if injected.abort is None and injected.delay is None:
        found.error("VAL-001", injected.at, "a fault is a delay, an abort, or both")
    if delay := injected.delay:
        _share(delay.percentage, found)
        if not 0 <= delay.percent <= 100:
            found.error(
                "VAL-003", f"{delay.at}.percent", f"{delay.percent} is not a percentage from 0 to 100"
            )
        shared_rules.time(delay.fixed_delay, f"{delay.at}.fixedDelay", found)
        if delay.exponential_delay is not None:
            found.error("VAL-002", f"{delay.at}.exponentialDelay", "exponentialDelay does not exist yet")
    if abort := injected.abort:
        _share(abort.percentage, found)
        if abort.http_status is not None:
            _status(abort.http_status, f"{abort.at}.httpStatus", found)
        if abort.grpc_status is not None and abort.grpc_status not in GRPC_STATUSES:
            at = f"{abort.at}.grpcStatus"
            found.error("VAL-012", at, f'"{abort.grpc_status}" is no status of gRPC such as "UNAVAILABLE"')
        if abort.http2_error is not None:
            found.error("VAL-002", f"{abort.at}.http2Error", "http2Error does not exist yet")
        _one_abort(injected, found)


def _one_abort(injected: HTTPFaultInjection, found: Findings) -> None:
    abort = injected.abort
    if abort is None:
        return
    if abort.http_status is not None and abort.grpc_status is not None:
        found.error("VAL-002", f"{abort.at}.grpcStatus", "httpStatus and grpcStatus exclude each other")
    if abort.http_status is None and abort.grpc_status is None and abort.http2_error is None:
        found.warning("VAL-103", abort.at, "an abort without httpStatus or grpcStatus does nothing")


def _share(percentage: Percent | None, found: Findings) -> None:
    if percentage and percentage.value and not _LEAST_SHARE <= percentage.value <= 100:
        found.error(
            "VAL-003",
            percentage.at,
            f"{percentage.value:g} is not a percentage: 0, or {_LEAST_SHARE:g} to 100",
        )


def _status(status: int, at: str, found: Findings) -> None:
    if not 200 <= status <= 599:
        found.error("VAL-003", at, f"{status} is not a status from 200 to 599")


def mirrors(rule: HTTPRoute, found: Findings) -> None:
    if rule.mirror and rule.mirrors:
        found.error("VAL-002", f"{rule.at}.mirrors", "mirror and mirrors exclude each other")
    if rule.mirror_percent is not None:
        at = f"{rule.at}.mirrorPercent"
        if rule.mirror_percent > 100:
            found.error("VAL-003", at, f"{rule.mirror_percent} is not a percentage from 0 to 100")
        found.warning("VAL-102", at, "mirrorPercent is out of use", "Use mirrorPercentage.")
    for percentage in (rule.mirror_percentage, *(mirror.percentage for mirror in rule.mirrors)):
        if percentage and not 0 <= percentage.value <= 100:
            found.error("VAL-003", percentage.at, f"{percentage.value:g} is not a percentage from 0 to 100")


def redirect(target: HTTPRedirect, rule: HTTPRoute, found: Findings) -> None:
    at = target.at
    if target.uri and target.prefix_rewrite:
        found.error("VAL-002", f"{at}.prefixRewrite", "uri and prefixRewrite exclude each other")
    if target.prefix_rewrite and any(match.uri and match.uri.prefix is None for match in rule.match):
        found.error(
            "VAL-002", f"{at}.prefixRewrite", "a prefix can be rewritten only where matches are by prefix"
        )
    said = (target.uri, target.prefix_rewrite, target.authority, target.scheme)
    if not any(said) and target.port is None and target.derive_port is None:
        found.error("VAL-001", at, "a redirect needs a uri, prefixRewrite, authority, port or scheme")
    if target.port is not None and target.derive_port is not None:
        found.error("VAL-002", f"{at}.derivePort", "port and derivePort exclude each other")
    shared_rules.text(target.uri or "", f"{at}.uri", found)
    shared_rules.text(target.prefix_rewrite or "", f"{at}.prefixRewrite", found)
    shared_rules.sent_host(target.authority, f"{at}.authority", found)
    if target.redirect_code and not 300 <= target.redirect_code <= 399:
        found.error(
            "VAL-003", f"{at}.redirectCode", f"{target.redirect_code} is not a status from 300 to 399"
        )
    if target.scheme not in ("", "http", "https"):
        found.error("VAL-012", f"{at}.scheme", f'"{target.scheme}" is neither http nor https')
    if target.port is not None and target.port > 65535:
        found.error("VAL-003", f"{at}.port", f"{target.port} is not a port: ports are 1 to 65535")


def direct_response(response: HTTPDirectResponse, found: Findings) -> None:
    _status(response.status, f"{response.at}.status", found)
    if (body := response.body) is None:
        return
    if body.string is not None and body.bytes_ is not None:
        found.error("VAL-002", f"{body.at}.bytes", "string and bytes exclude each other")
    size = len(body.bytes_ or b"") if body.string is None else len(body.string.encode(errors="replace"))
    if size > _LONGEST_BODY:
        found.error("VAL-003", body.at, f"the body has {size} bytes; at most {_LONGEST_BODY} are allowed")
    elif size > _LONG_BODY:
        found.warning("VAL-104", body.at, f"a body of {size} bytes burdens every gateway's configuration")


def retries(policy: HTTPRetry, found: Findings) -> None:
    at = policy.at
    if policy.attempts < 0:
        found.error("VAL-003", f"{at}.attempts", f"{policy.attempts} attempts: it cannot be less than 0")
    elif policy.attempts == 0:
        for key, given in (
            ("perTryTimeout", policy.per_try_timeout),
            ("retryOn", policy.retry_on),
            ("retryRemoteLocalities", policy.retry_remote_localities),
        ):
            if given:
                found.error(
                    "VAL-002", f"{at}.{key}", f"with attempts 0 nothing is tried again: {key} is idle"
                )
    shared_rules.time(policy.per_try_timeout, f"{at}.perTryTimeout", found)
    shared_rules.time(policy.backoff, f"{at}.backoff", found)
    for condition in policy.retry_on.split(",") if policy.retry_on else ():
        if condition not in RETRY_CONDITIONS and condition not in STATUSES:
            found.error(
                "VAL-012",
                f"{at}.retryOn",
                f'"{condition}" is no condition to retry on, and no HTTP status',
                "Conditions are separated by commas, without spaces.",
            )


def rewrite(change: HTTPRewrite, found: Findings) -> None:
    pattern = change.uri_regex_rewrite
    if change.uri and pattern:
        found.error("VAL-002", pattern.at, "uri and uriRegexRewrite exclude each other")
    if not (change.uri or pattern or change.authority):
        found.error("VAL-001", change.at, "a rewrite needs a uri, uriRegexRewrite or authority")
    shared_rules.text(change.uri, f"{change.at}.uri", found)
    shared_rules.sent_host(change.authority, f"{change.at}.authority", found)
    if not pattern:
        return
    shared_rules.text(pattern.rewrite, f"{pattern.at}.rewrite", found)
    if not pattern.match or not pattern.rewrite:
        found.error("VAL-001", pattern.at, "uriRegexRewrite needs both match and rewrite")
    elif wrong := checks.regex(pattern.match):
        found.error("VAL-005", f"{pattern.at}.match", wrong)
