"""How hosts, header values and paths of a policy are compared, however a client spells them.

A route takes a host whatever its port, its letters and its trailing dot; clients put blanks around header values, send
a header twice, and append a query. Whatever reaches a route must reach its rules too. `refuses` tells the two uses
apart: a text that refuses (the values of a DENY, the notValues of an ALLOW) also holds where the client left room for
doubt; one that allows holds only where there is none.

Patterns are RE2, which Envoy lets see bytes: `\\C*` is "anything" also where those are no UTF-8.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from mizzen.model.authorization import (
    All,
    AnyOf,
    Expression,
    Header,
    Path,
    Suffix,
    Text,
)
from mizzen.model.route import Exact, Prefix, Present, Regex

AUTHORITY = ":authority"
_MAPPED = IPv6Network("::ffff:0:0/96")
# Envoy keeps Host as :authority, and finds it by either name.
_HOSTS = frozenset({AUTHORITY, "host"})

_ANYTHING = r"\C*"
_SEGMENT = "[^/]+"
_BLANKS = r"[ \t]*"
# What Envoy's routes leave out (HeaderUtility::getPortStart): from the last colon on, whatever follows it, unless that has
# a bracket in it.
_PORT = r":[^:\]]*"
_ANY_PORT = f"(?:{_PORT})?"
_BEFORE_A_HOST_WITHOUT_PORT = r"(?:\C*\])?[^:]*"
_WITH_PORT = re.compile(r"(?P<host>[^:]*|\[.*\]):(?P<port>[0-9]*)")
_DEFAULT_PORTS = frozenset({"80", "443"})  # what clients leave out


def text(value: str) -> Text:
    """Istio's patterns: "*" is anything that is there, "a*" a beginning, "*a" an end."""
    if value == "*":
        return Present()
    if value.startswith("*"):
        return Suffix(value[1:])
    return Prefix(value[:-1]) if value.endswith("*") else Exact(value)


def quoted(literal: str, star: str = r"\*") -> str:
    """`literal` in RE2; `star` is what its asterisks become."""
    return "".join(star if one == "*" else _quoted(one) for one in literal)


def _quoted(one: str) -> str:
    if not one.isascii() or one.isalnum() or one in "-_/ ":
        return one
    return f"\\{one}" if one.isprintable() else f"\\x{ord(one):02x}"


def host(value: str, *, refuses: bool) -> Expression:
    """A host as routes see it. One that names a port asks for that port (Istio): where it refuses, a port that clients
    leave out (80, 443, *) may be left out."""
    how = text(value)
    if isinstance(how, Present):
        return Header(name=AUTHORITY, value=how)
    if isinstance(how, Prefix):
        if refuses and how.value.endswith(":"):
            return _authority(_host(how.value.removesuffix(":")) + _ANY_PORT)
        return _authority(quoted(how.value) + _ANYTHING)
    before, rest = (_ANYTHING, how.value) if isinstance(how, Suffix) else ("", value)
    written = _WITH_PORT.fullmatch(rest)
    name = _host(written["host"] if written else rest)
    if written and written["port"]:
        port = written["port"].lstrip("0") or "0"
        optional = "?" if refuses and port in _DEFAULT_PORTS else ""
        return _authority(f"{before}{name}(?::0*{port}){optional}")
    if before:  # "other:.x" is the host "other", not one that ends in ".x"
        return _authority(f"(?:{_BEFORE_A_HOST_WITHOUT_PORT}{name}|{_ANYTHING}{name}{_PORT})")
    return _authority(name + _ANY_PORT)


def _host(name: str) -> str:
    """The dot at the end is taken from requests before they are judged."""
    return quoted(name.removesuffix(".") or name)


def _authority(pattern: str) -> Expression:
    return Header(name=AUTHORITY, value=Regex(f"(?i){pattern}"))


def header(name: str, value: str, *, refuses: bool) -> Expression:
    """The value of a request's header. Of several, which Envoy joins by commas (proxy.bootstrap), one is enough where it
    refuses; where it allows, all of them together must fit."""
    if name.lower() in _HOSTS:
        return host(value, refuses=refuses)
    if name.lower() == ":path" and refuses:
        return AnyOf((Header(name=name, value=text(value)), Path(text(value))))
    how = text(value)
    if name.startswith(":") or isinstance(how, Present):
        return Header(name=name, value=how)
    before, after = ("", "")
    if refuses:
        before, after = rf"(?:{_ANYTHING},)?", rf"(?:,{_ANYTHING})?"
    before, after = before + _BLANKS, _BLANKS + after
    match how:
        case Prefix(start):
            after = _ANYTHING
            literal = start.lstrip(" \t")
        case Suffix(end):
            before = _ANYTHING
            literal = end.rstrip(" \t")
        case _:
            literal = value.strip(" \t")
    listed = f"{_BLANKS},{_BLANKS}".join(quoted(one) for one in re.split(r"[ \t]*,[ \t]*", literal))
    return Header(name=name, value=Regex(before + listed + after))


def path(value: str, *, refuses: bool, any_case: tuple[str, ...] = ()) -> Expression:
    """Without its query. `any_case`: hosts at which some route takes a path whatever its letters; a refusal does too."""
    plain = _path(value, ignore_case=False)
    if not refuses or not any_case:
        return plain
    there = AnyOf(tuple(host(one, refuses=True) for one in any_case))
    return AnyOf((plain, All((there, _path(value, ignore_case=True)))))


def _path(value: str, *, ignore_case: bool) -> Expression:
    if "{" not in value:
        return Path(text(value), ignore_case=ignore_case)
    return Path(Regex(("(?i)" if ignore_case else "") + _template(value)))


def _template(value: str) -> str:
    """`{*}` stands for one segment, `{**}` for any number.

    Envoy's own matcher of templates is not asked: it knows fewer letters (a segment with "=" would get round a DENY), and
    ends Envoy where it does not understand a template.
    """
    segments = {"{*}": _SEGMENT, "{**}": _ANYTHING}
    return "/".join(segments.get(one) or quoted(one) for one in value.split("/"))


def mapped(block: str) -> str:
    """The same addresses in the other family's spelling: 192.0.2.0/24 is ::ffff:192.0.2.0/120 (RFC 4291, 2.5.5.2), and
    back; "" where there is none."""
    network = ip_network(block, strict=False)
    if isinstance(network, IPv4Network):
        return f"::ffff:{network.network_address}/{_MAPPED.prefixlen + network.prefixlen}"
    if not network.subnet_of(_MAPPED):
        return ""
    inside = network.network_address.ipv4_mapped
    return f"{inside}/{network.prefixlen - _MAPPED.prefixlen}"
