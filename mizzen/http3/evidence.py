"""What is known of an HTTP/3 mirror. All values."""

from collections.abc import Iterable
from dataclasses import replace

from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one mirror.

    `acked`: Envoy holds the QUIC listener and its certificate. `proven`: whether a request over HTTP/3
    succeeded; None when none has ended yet. `detail`: why it did not. `everywhere`: no Envoy behind the address is
    still without it.
    """

    acked: bool
    proven: bool | None
    detail: str = ""
    everywhere: bool = True


NOTHING_KNOWN = Evidence(acked=False, proven=None)


def together(known: Iterable[Evidence]) -> Evidence:
    """What is known of the mirrors of several Envoys that answer under one address.

    One that fails counts for all, since clients cannot choose. One that has just come waits for its own proof
    while another's holds: that breaks no announcement, but none begins before.
    """
    evidence = tuple(known)
    best = max(evidence, key=_rank, default=NOTHING_KNOWN)
    is_everywhere = all(one.acked and one.proven and one.everywhere for one in evidence)
    return best if best.everywhere == is_everywhere else replace(best, everywhere=is_everywhere)


def _rank(evidence: Evidence) -> int:
    return 3 if evidence.proven is False else 2 if evidence.proven else 1 if evidence.acked else 0
