"""The links between a client and its HTTP/3 answer, what was measured of each, and which is the first that is broken. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import Enum
from typing import Any

from mizzen.lazy import dataclass


class Name(Enum):
    """Every link, in the order in which a client comes to it."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    CERTIFICATE = "certificate"
    ALPN = "alpn"
    HTTP = "http"
    ALT_SVC = "alt-svc"
    UDP = "udp"
    QUIC = "quic"
    QUIC_CERTIFICATE = "quic-certificate"
    H3 = "h3"
    ANSWERS = "answers"
    CLIENT_CERTIFICATE = "client-certificate"
    RESUMPTION = "resumption"
    EARLY_DATA = "early-data"
    MIGRATION = "migration"
    MTU = "mtu"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the walk.

    `ok` None: it was not looked at, or nothing can be said of it; `said` tells why. `remedy`: what to do; "" when fine. A
    link that works and could do better is `ok` and has a remedy.
    """

    link: Name
    ok: bool | None
    said: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"link": self.link.value, "ok": self.ok, "said": self.said, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Finding:
    """What an operator's check knows of a link: a Service's ports, a refused update, a buffer that is too small.

    False: this is why the link is broken, or would be for clients that come another way than this one. True: that side of
    it is fine. None: worth saying (with a `remedy`: worth doing), and breaks nothing. `meant`: somebody chose that the link
    is as a client sees it, so it is not broken.
    """

    link: Name
    ok: bool | None
    said: str
    remedy: str = ""
    meant: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one URL: every link once, in order."""

    url: str
    links: tuple[Link, ...] = field(default=())

    @property
    def broken(self) -> Link | None:
        """The first broken link."""
        return next((one for one in self.links if one.ok is False), None)

    @property
    def healthy(self) -> bool:
        return self.broken is None

    def to_json(self) -> dict[str, Any]:
        broken = self.broken
        return {
            "url": self.url,
            "healthy": self.healthy,
            "broken": broken.link.value if broken else None,
            "links": [one.to_json() for one in self.links],
        }


def ordered(url: str, links: Iterable[Link]) -> Report:
    """A report of `links` in the order of the walk; what is missing was not looked at."""
    by_name = {one.link: one for one in links}
    return Report(url, tuple(by_name.get(name) or Link(name, None, "not looked at") for name in Name))


def merged(report: Report, findings: Iterable[Finding]) -> Report:
    """The report with what an operator knows.

    An operator's cause stands before what a client saw of it, and its remedy before the client's guess.
    """
    by_link: dict[Name, list[Finding]] = {}
    for finding in findings:
        by_link.setdefault(finding.link, []).append(finding)
    return Report(report.url, tuple(_with(link, by_link) for link in report.links))


def _with(link: Link, by_link: Mapping[Name, list[Finding]]) -> Link:
    known = by_link.get(link.link, [])
    causes = [one for one in known if one.ok is False]
    others = [one for one in known if one.ok is not False]
    ok = link.ok
    if causes:
        ok = False
    elif ok is None and any(one.ok for one in others):
        ok = True
    is_meant = ok is False and not causes and any(one.meant for one in others)
    if is_meant:
        ok = None
    texts = [*(one.said for one in causes), link.said, *(one.said for one in others)]
    # Where the cause is known, its remedy is the one that helps.
    own = [] if causes or is_meant else [link.remedy]
    remedies = [*(one.remedy for one in causes), *own, *(one.remedy for one in others)]
    return Link(link.link, ok, _joined(texts), _joined(remedies))


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
