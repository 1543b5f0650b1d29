"""A name server: asked what it says (RFC 1035), and told what it shall say (RFC 2136, signed by RFC 8945).

dnspython is imported when a server is spoken to first: most control planes speak to none.
"""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from mizzen.dns.compared import Difference, compared, names
from mizzen.dns.justified import Justified, by_name
from mizzen.dns.record import Record
from mizzen.dns.registry import owner_in, registry_name, word
from mizzen.lazy import dataclass
from mizzen.model.dns import TsigKey
from mizzen.sources.fetching import OWN_PORTS, never

if TYPE_CHECKING:
    from dns.message import Message
    from dns.update import UpdateMessage

ASK_SECONDS = 5.0


class Unanswered(Exception):
    """A server cannot be reached, or does not do what it is asked. The message is a sentence for users."""


class Outcome(Enum):
    """What became of a name."""

    WRITTEN = "written"
    REMOVED = "removed"
    ABSENT = "absent"  # it was not there, or is not ours: nothing was removed
    NO_NAME = "no name"  # the host has no records in the zone at all
    ALIAS = "alias"  # the host is an alias (CNAME), beside which nothing may stand
    OTHERS = "others"  # somebody else's HTTPS records stand there


@dataclass(frozen=True, slots=True, kw_only=True)
class NameServer:
    """One of them, and the key that both know."""

    address: str
    port: int = 53
    key: TsigKey | None = None
    # Somebody who may be nobody to us has named it: it is not asked where it would be ours, or the machine's own.
    is_guarded: bool = False

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    # --- asking ------------------------------------------------------------------------------------

    async def said(self, asked: Iterable[str], kind: str = "HTTPS") -> dict[str, tuple[str, ...]]:
        """The records of a kind that it gives for each name, as text. Unanswered."""
        import dns.message
        import dns.rdatatype

        found: dict[str, tuple[str, ...]] = {}
        for name in asked:
            answer = await self._exchange(dns.message.make_query(name, kind))
            if answer.rcode() not in (0, 3):  # NOERROR, NXDOMAIN
                raise Unanswered(f"{self} does not say what it knows of {name}: {_rcode(answer)}")
            wanted = dns.rdatatype.from_text(kind)
            some = [rdata for rrset in answer.answer if rrset.rdtype == wanted for rdata in rrset]
            found[name] = tuple(sorted(rdata.to_text() for rdata in some))
        return found

    async def differing(self, found: Justified) -> tuple[Difference, ...]:
        """Where it says something else than is justified. Unanswered."""
        said = await self.said(names(found))
        ours = {name: tuple(map(canonical, some)) for name, some in by_name(found.listed).items()}
        return compared(found, said, ours)

    # --- telling -----------------------------------------------------------------------------------

    async def write(self, zone: str, host: str, records: Sequence[Record], owner: str) -> Outcome:
        """Have the records of one name (of a host) in a zone, if it is ours or nobody's. Unanswered, Unnameable."""
        name = records[0].name
        registration = registry_name(name)
        ours = self._update(zone)
        ours.present(registration, "TXT", _quoted(word(owner)))
        ours.delete(name, "HTTPS")
        _add(ours, records)
        if await self._told(ours, zone) == "NOERROR":
            return Outcome.WRITTEN
        new = self._update(zone)
        # A name that nobody has would hide what a wildcard answers for it (RFC 4592, section 2.2.1).
        new.present(host)
        new.absent(host, "CNAME")
        new.absent(name, "HTTPS")
        new.absent(registration, "TXT")
        _add(new, records)
        new.add(registration, records[0].ttl, "TXT", _quoted(word(owner)))
        match await self._told(new, zone):
            case "NOERROR":
                return Outcome.WRITTEN
            case "NXDOMAIN":
                return Outcome.NO_NAME
        alias = self._update(zone)
        alias.absent(host, "CNAME")
        return Outcome.ALIAS if await self._told(alias, zone) == "YXRRSET" else Outcome.OTHERS

    async def remove(self, zone: str, name: str, owner: str) -> Outcome:
        """Have no HTTPS record of a name, if what is there is ours. Unanswered, Unnameable."""
        registration = registry_name(name)
        update = self._update(zone)
        update.present(registration, "TXT", _quoted(word(owner)))
        update.delete(name, "HTTPS")
        update.delete(registration, "TXT")
        return Outcome.REMOVED if await self._told(update, zone) == "NOERROR" else Outcome.ABSENT

    async def owner(self, name: str) -> str:
        """Who has registered the records of a name; "" where nobody has. Unanswered, Unnameable."""
        registration = registry_name(name)
        texts = (await self.said([registration], "TXT"))[registration]
        return next((one for one in map(owner_in, (text.strip('"') for text in texts)) if one), "")

    def _update(self, zone: str) -> "UpdateMessage":
        import dns.update

        return dns.update.UpdateMessage(zone)

    async def _told(self, update: "UpdateMessage", zone: str) -> str:
        """What became of it: NOERROR, or which prerequisite does not hold (NXDOMAIN, NXRRSET, YXRRSET)."""
        answer = _rcode(await self._exchange(update))
        match answer:
            case "NOERROR" | "NXDOMAIN" | "NXRRSET" | "YXRRSET":
                return answer
            case "REFUSED":
                who = f"the key {self.key.name}" if self.key else "anybody without a key"
                raise Unanswered(f"{self} does not let {who} change {zone}")
            case "NOTAUTH" | "NOTZONE":
                raise Unanswered(f"{self} is not the primary of {zone}")
        raise Unanswered(f"{self} does not take a change of {zone}: {answer}")

    async def _exchange(self, message: "Message") -> "Message":
        import dns.asyncquery
        import dns.exception
        import dns.tsig

        try:
            if self.key is not None:
                key = dns.tsig.Key(self.key.name, self.key.secret, self.key.algorithm)
                message.use_tsig(key)
            where = await self._resolved()
            return await dns.asyncquery.tcp(message, where, timeout=ASK_SECONDS, port=self.port)
        except dns.tsig.PeerBadKey:
            raise Unanswered(f"{self} does not know the key {self._key}") from None
        except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature):
            raise Unanswered(f"{self} knows the key {self._key} with another secret or algorithm") from None
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
            raise Unanswered(f"the clock of {self} differs from ours by more than the key allows") from None
        except dns.exception.Timeout:
            raise Unanswered(f"{self} does not answer over TCP within {ASK_SECONDS:g} s") from None
        except (dns.exception.DNSException, EOFError, ValueError):
            raise Unanswered(f"{self} gives no answer of DNS that can be used") from None
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise Unanswered(f"{self} cannot be reached: {why.lower()}") from None

    async def _resolved(self) -> str:
        """Its IP address; a name is looked up by the resolver of this machine. OSError, Unanswered."""
        where = self.address
        try:
            ipaddress.ip_address(where)
        except ValueError:
            found = await asyncio.get_running_loop().getaddrinfo(where, None, type=socket.SOCK_STREAM)
            where = str(found[0][4][0])
        if self.is_guarded and (why := never(where)):
            raise Unanswered(f"{self} is not asked: {why}")
        if self.is_guarded and self.port in OWN_PORTS:
            raise Unanswered(f"{self} is not asked: the port is one of mizzen's own")
        return where

    @property
    def _key(self) -> str:
        return self.key.name if self.key is not None else ""


def canonical(record: Record) -> str:
    """The data of a record as `NameServer.said` gives it."""
    import dns.rdata

    return str(dns.rdata.from_text("IN", "HTTPS", record.rdata).to_text())


def _add(update: "UpdateMessage", records: Sequence[Record]) -> None:
    for record in records:
        update.add(record.name, record.ttl, "HTTPS", record.rdata)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _rcode(answer: "Message") -> str:
    import dns.rcode

    return str(dns.rcode.to_text(answer.rcode()))
