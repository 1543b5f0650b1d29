"""Keys of the session tickets that a QUIC listener gives (RFC 8446 section 4.6.1): who comes back with a ticket resumes.

Envoy's own keys are of one worker of one process. Keys of ours are the same for all workers and replicas of a gateway, and
for the Envoys and control planes that follow. A new key is handed out before it is used, so that everybody can read a
ticket of it when the first is given; it takes the place of the one before it after `ROTATION`; and that one goes
when no ticket of it can be left. So what is stolen is of use for three days.

What is kept are seeds; of each, every gateway has a key of its own (`ticket_key`): the Envoys of one cannot read the tickets of
another. Pure: randomness and time are handed in.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from mizzen.lazy import dataclass

ROTATION = timedelta(days=1)
LIFE = timedelta(days=2)  # of a ticket, as Envoy tells clients: 172,800 s
AHEAD = timedelta(hours=1)  # so long a key is known before tickets are made with it
SEED_BYTES = 32
KEY_BYTES = 80  # Envoy's TlsSessionTicketKeys: a name, a key for the digest, a key for the cipher


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What keys are made of. `since`: from when tickets are made with them."""

    since: datetime
    content: bytes = field(repr=False)  # never printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """All that are of use, the oldest first."""

    seeds: tuple[Seed, ...] = ()

    def advanced(self, now: datetime, fresh: bytes) -> "Seeds":
        """The same at another time: with a new one (`fresh`) where it is time for one, without those that are over."""
        if not self.seeds:
            return Seeds(seeds=(Seed(since=now, content=fresh),))
        seeds = self.seeds
        last = seeds[-1].since
        if last + ROTATION - AHEAD <= now:
            seeds += (Seed(since=max(last + ROTATION, now + AHEAD), content=fresh),)
        over = [one for one, after in pairwise(seeds) if after.since + LIFE <= now]
        return self if seeds == self.seeds and not over else Seeds(seeds=seeds[len(over) :])

    def served(self, now: datetime) -> tuple[bytes, ...]:
        """The seeds of the keys that an Envoy has now: tickets are made with the first, and read with all."""
        begun = [one for one in self.seeds if one.since <= now] or list(self.seeds[:1])
        current = begun[-1:]
        others = [one for one in reversed(self.seeds) if one not in current]
        return tuple(one.content for one in (*current, *others))

    def next(self, now: datetime) -> datetime | None:
        """When time alone changes something; None: there are none yet."""
        if not self.seeds:
            return None
        times = [one.since for one in self.seeds]
        times += [one.since + LIFE for one in self.seeds[1:]]
        times.append(self.seeds[-1].since + ROTATION - AHEAD)
        return min((at for at in times if at > now), default=now)


def ticket_key(seed: bytes, gateway: str) -> bytes:
    """The key that a gateway makes of a seed (HKDF-Expand, RFC 5869 section 2.3). Nobody gets from one to another's."""
    info, out, block = f"mizzen session tickets {gateway}".encode(), b"", b""
    number = 0
    while len(out) < KEY_BYTES:
        number += 1
        block = hmac.digest(seed, block + info + bytes((number,)), "sha256")
        out += block
    return out[:KEY_BYTES]


def to_json(seeds: Seeds) -> dict[str, Any]:
    """As it is kept, in a place that its owner alone can read."""
    return {
        "seeds": [
            {"since": one.since.isoformat(), "content": base64.b64encode(one.content).decode()}
            for one in seeds.seeds
        ]
    }


def from_json(value: Mapping[str, Any]) -> Seeds:
    """What `to_json` made.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is something else.
    """
    found = []
    for one in value["seeds"]:
        since = datetime.fromisoformat(one["since"])
        content = base64.b64decode(one["content"], validate=True)
        if len(content) != SEED_BYTES:
            raise ValueError("a seed has another length")
        found.append(Seed(since=since if since.tzinfo else since.replace(tzinfo=UTC), content=content))
    return Seeds(seeds=tuple(sorted(found, key=lambda one: one.since)))
