"""How often and when a request is tried again."""

from http import HTTPStatus

from mizzen.model.route import Retry
from mizzen.resources.istio.virtual_service import HTTPRetry

# Istio's own policy where nobody writes one: two more attempts when the request cannot have been served.
DEFAULT_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
DEFAULT_ATTEMPTS = 2
# One object for all routes that have it: most have.
_OTHER_ENDPOINTS = Retry(attempts=DEFAULT_ATTEMPTS, on=DEFAULT_ON)
_SAME_ENDPOINT = Retry(attempts=DEFAULT_ATTEMPTS, on=DEFAULT_ON, avoid_tried_endpoints=False)
_STATUSES = frozenset(status.value for status in HTTPStatus)


def retry(wanted: HTTPRetry | None, mesh: HTTPRetry | None, *, keeps_to_one: bool) -> Retry | None:
    """The policy of a rule, else the mesh's, else the built-in one. None: never again.

    `keeps_to_one`: a hash keeps each client on one endpoint, so another attempt may go there again.
    """
    policy = wanted or mesh
    if policy is None:
        return _SAME_ENDPOINT if keeps_to_one else _OTHER_ENDPOINTS
    if policy.attempts <= 0:
        return None
    on, statuses = _conditions(policy.retry_on)
    ignore = policy.retry_ignore_previous_hosts
    return Retry(
        attempts=policy.attempts,
        on=on or DEFAULT_ON,
        statuses=statuses,
        per_try_timeout=policy.per_try_timeout,
        avoid_tried_endpoints=not keeps_to_one if ignore is None else ignore,
        other_localities=bool(policy.retry_remote_localities),
        backoff=policy.backoff,
    )


def _conditions(text: str) -> tuple[str, tuple[int, ...]]:
    """Envoy's conditions, and the status codes among them: "503,reset" -> ("reset,retriable-...", (503,))."""
    words: list[str] = []
    statuses: list[int] = []
    for word in (part.strip(" \t") for part in text.split(",")):
        if word.isdecimal() and int(word) in _STATUSES:
            statuses.append(int(word))
        elif word:
            words.append(word)
    if statuses and "retriable-status-codes" not in words:
        words.append("retriable-status-codes")
    return ",".join(words), tuple(statuses)
