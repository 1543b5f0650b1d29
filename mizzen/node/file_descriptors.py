"""Open files: as many as the system allows, shared out so that nobody's connections use them up.

A process that has none left cannot read a file, accept a proxy, or start a child. So every server that strangers can
reach gets a share of its own, and the rest is kept for everything else.
"""

import logging
import resource

from mizzen.lazy import dataclass

_RESERVE = 256  # files, pipes, our own sockets, connections to an API server
_MOST = 20_000  # connections of a port, however many files there may be: each costs memory

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many connections each port takes."""

    secure: int  # of proxies that have a certificate
    join: int  # of those who have none yet
    plaintext: int
    webhook: int


def raise_limit() -> int:
    """Allow this process, and those that it starts, as many open files as it may have: how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError) as error:
            _log.warning("the limit of open files stays %s: %s", soft, error)
    return _MOST * 8 if soft == resource.RLIM_INFINITY else soft


def shares(limit: int) -> Shares:
    """Of `limit` open files. Proxies, which come and stay, get half of what is not kept back. Pure."""
    free = max(limit - _RESERVE, limit // 4, 8)
    return Shares(
        secure=min(free // 2, _MOST),
        join=min(free // 8, _MOST // 20),
        plaintext=min(free // 8, _MOST // 20),
        webhook=min(free // 8, _MOST // 20),
    )
