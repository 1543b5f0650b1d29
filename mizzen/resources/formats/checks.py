"""What a well-formed host, label, pattern, header, port or duration is, as Istio's validation has it.

Each function takes a text and says what is wrong with it: "" is nothing.
"""

import functools
import ipaddress
import posixpath
import re
from datetime import timedelta

import re2

from mizzen.resources.formats import substitution

_LABEL = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_FIRST_LABEL = re.compile(rf"\*|(?:\*-?)?{_LABEL}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_PSEUDO_HEADERS = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
_LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){31}")
_SHA256_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=")

# RFC 3986, pchar: what Istio takes between the operators of a path template.
_PATH_SEGMENT = re.compile(r"[a-zA-Z0-9._~%!$&'()+,;:@=-]+")
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_MESH_NAME = re.compile(r"[!-~]+")

LONGEST_REGEX = 1024
LONGEST_TEXT = 4096  # of a policy: it may become a pattern, and Envoy's have an end
LONGEST_MESH_NAME = 320
LONGEST_SOCKET_PATH = 107  # bytes of sockaddr_un.sun_path, less the terminating zero
LONGEST_HEADER = 16_384  # bytes of a name or value (Envoy, HeaderValue)
LONGEST_QUERY_NAME = 1_024  # bytes (Envoy, QueryParameterMatcher)
LONGEST_SNI = 255  # bytes (Envoy, UpstreamTlsContext)
MOST_HEADERS = 1_000  # that one route changes (Envoy, Route.request_headers_to_add)
MOST_WEIGHT = 2**32 - 1  # of all destinations, or endpoints, together (Envoy, WeightedCluster)
CLAIMS = "@request.auth.claims"
SHORTEST = timedelta(milliseconds=1)

_RE2 = re2.Options()
_RE2.log_errors = False
_RE2.encoding = re2.Options.Encoding.LATIN1  # as Envoy: a letter is a byte, and \x{663} is none


def dns_label(text: str) -> str:
    """One part of a host name; also a subset's name and a namespace."""
    if len(text) <= 63 and _DNS_LABEL.fullmatch(text):
        return ""
    return f'"{text}" is not a DNS label (up to 63 letters, digits and dashes)'


def fqdn(text: str) -> str:
    """A host name without wildcard; a single label is one too."""
    if not 0 < len(text) <= 255:
        return "a host name has 1 to 255 characters"
    return _labels(text, text)


@functools.lru_cache(maxsize=16_384)  # many rules name the same few services
def wildcard_domain(text: str) -> str:
    """A host name whose first label may be, or begin with, an asterisk."""
    if not 0 < len(text) <= 255:
        return "a host name has 1 to 255 characters"
    first, _, rest = text.partition(".")
    if len(first) > 63 or not _FIRST_LABEL.fullmatch(first):
        return f'"{text}" is not a host name: "{first}" is no label of one'
    return _labels(rest, text) if rest else ""


def _labels(text: str, whole: str) -> str:
    parts = text.removesuffix(".").split(".")
    for part in parts:
        if len(part) > 63 or not _DNS_LABEL.fullmatch(part):
            return f'"{whole}" is not a host name: "{part}" is no label of one'
    if parts[-1].isdigit():
        return f'"{whole}" is not a host name: its last part is a number'
    return ""


def is_ip(text: str) -> bool:
    """An address without a zone (fe80::1%eth0): Envoy takes none."""
    if not (text[-1:].isdigit() or ":" in text):  # most names: there is nothing to try
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def subnet(text: str) -> str:
    """An IP address, or a range of them (10.0.0.0/8): no netmask, no zone."""
    address, slash, length = text.partition("/")
    try:
        if not is_ip(address) or (slash and not (length.isascii() and length.isdecimal())):
            raise ValueError(text)
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f'"{text}" is neither an IP address nor a range of them such as 10.0.0.0/8'
    return ""


def port_text(text: str) -> str:
    """A port that is written as a text."""
    if re.fullmatch(r"[0-9]{1,5}", text):
        return port(int(text))
    return f'"{text[:40]}" is not a port: ports are 1 to 65535'


def port(number: int) -> str:
    return "" if 1 <= number <= 65535 else f"{number} is not a port: ports are 1 to 65535"


def duration(value: timedelta) -> str:
    """At least a millisecond, and whole ones."""
    if value < SHORTEST:
        return "a duration must be at least 1ms"
    if value.microseconds % 1000:
        return "a duration must be a whole number of milliseconds"
    return ""


@functools.lru_cache(maxsize=16_384)
def regex(pattern: str) -> str:
    """An RE2 pattern, as Envoy compiles it."""
    if not pattern:
        return "an empty pattern matches nothing that it could be meant for"
    if len(pattern) > LONGEST_REGEX:
        return f"the pattern is longer than {LONGEST_REGEX} characters"
    try:
        re2.compile(pattern.encode(), _RE2)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return f"RE2 does not take the pattern: {reason}"
    except UnicodeError:
        return "the pattern is not a text"
    return ""


def claim_path(name: str) -> tuple[str, ...] | None:
    """The claim that a header match of this name asks for; None when it means an ordinary header.

    `@request.auth.claims.a.b` and `@request.auth.claims[a][b]` are ("a", "b"). A claim without a name is none.
    """
    if name[: len(CLAIMS)].lower() != CLAIMS:
        return None
    rest = name[len(CLAIMS) :]
    if len(rest) > 1 and rest[0] == ".":
        path = tuple(rest[1:].split("."))
        return path if all(path) else None
    if re.fullmatch(r"(?:\[[^\[\]]+\])+", rest):
        return tuple(rest[1:-1].split("]["))
    return None


def matched_header(name: str) -> str:
    """The name of a header that a match looks at."""
    if not name:
        return "a header must have a name"
    if claim_path(name) or name in _PSEUDO_HEADERS or _TOKEN.fullmatch(name):
        return ""
    return f'"{name}" is not the name of a header'


def token(name: str) -> str:
    """A plain header name."""
    if not name:
        return "a header must have a name"
    return too_long(name) or ("" if _TOKEN.fullmatch(name) else f'"{name}" is not the name of a header')


def too_long(text: str) -> str:
    """Longer than Envoy takes the name or value of a header."""
    size = len(text.encode(errors="replace"))
    return f"it has {size} bytes; at most {LONGEST_HEADER} are allowed" if size > LONGEST_HEADER else ""


def plain(text: str) -> str:
    """What becomes (a part of) the value of a header: a path, a host, an attribute of a cookie."""
    return "the value has a control character in it" if _CONTROL.search(text) else too_long(text)


def host_value(text: str) -> str:
    """What is sent as :authority or host: visible, without blanks (RFC 9110, section 7.2)."""
    return "a host has no blanks in it" if " " in text or "\t" in text else plain(text)


def server_name(text: str) -> str:
    """What is sent as SNI."""
    if len(text.encode(errors="replace")) > LONGEST_SNI:
        return f"a server name has at most {LONGEST_SNI} bytes"
    return plain(text)


def header_value(value: str) -> str:
    """A value that is set on a header: no control characters, and commands that Envoy takes and clients may see."""
    return plain(value) or substitution.fault(value)


def policy_text(value: str) -> str:
    """What an attribute of a request is compared with."""
    if not value:
        return "an empty text is not allowed here"
    if len(value) > LONGEST_TEXT:
        return f"the text is longer than {LONGEST_TEXT} characters"
    if _UNSPEAKABLE.search(value):
        return "the text has a control character in it, which no request can have"
    return ""


def mesh_name(value: str) -> str:
    """A namespace or service account, or a pattern of some; also namespace/account."""
    if len(value) > LONGEST_MESH_NAME:
        return f"the name is longer than {LONGEST_MESH_NAME} characters"
    return (
        "" if _MESH_NAME.fullmatch(value) else f"{value!a} is not the name of a namespace or service account"
    )


def trust_domain_pattern(value: str) -> str:
    """A trust domain, or a pattern of some: an asterisk at one end, or alone (Istio's CheckTrustDomainValues)."""
    if wrong := policy_text(value):
        return wrong
    if "/" in value:
        return f"{value!a} is not a trust domain: those have no slash"
    if "*" in value[1:-1] or value.count("*") > 1:
        return f"{value!a} has an asterisk that is neither its beginning nor its end"
    return ""


def path_template(path: str) -> str:
    """A path of an AuthorizationPolicy (Istio's CheckValidPathTemplate): `{*}` and `{**}` are whole segments, `{**}` the
    last operator; beside them no other brace, and the rest is literal."""
    if "{" not in path and "}" not in path:
        return ""
    last = False
    is_template = "{*}" in path or "{**}" in path
    if is_template and not path.startswith("/"):
        return f'"{path}" must begin with a slash'
    for segment in path.strip("/").split("/"):
        if segment in ("{*}", "{**}"):
            if last:
                return f'"{path}" has an operator behind {{**}}, which must be the last'
            last = segment == "{**}"
        elif "{" in segment or "}" in segment:
            return f'"{path}" has a brace that does not belong to a segment {{*}} or {{**}}'
        elif is_template and not _PATH_SEGMENT.fullmatch(segment):
            return f'"{segment}" in "{path}" cannot stand beside {{*}} or {{**}}'
    return ""


def label(key: str, value: str) -> str:
    """A label in Kubernetes' syntax."""
    prefix, slash, name = key.rpartition("/")
    good_prefix = not slash or (len(prefix) <= 253 and _SUBDOMAIN.fullmatch(prefix))
    if not good_prefix or len(name) > 63 or not _LABEL_NAME.fullmatch(name):
        return f'"{key}" is not the key of a label'
    if value and (len(value) > 63 or not _LABEL_NAME.fullmatch(value)):
        return f'"{value}" is not the value of a label'
    return ""


def unix_path(address: str) -> str:
    """unix:// and the absolute path of a file, as the kernel takes it and without detours, or an abstract name (@...)."""
    path = address.removeprefix("unix://")
    if _CONTROL.search(path) or len(path.encode(errors="surrogatepass")) > LONGEST_SOCKET_PATH:
        return f"a socket's name has up to {LONGEST_SOCKET_PATH} bytes, and no control characters"
    if path.startswith("@"):
        return "" if len(path) > 1 else "an abstract socket has a name after the @"
    if not path.startswith("/") or path.endswith("/"):
        return f'"{address}" is not the absolute path of a socket'
    if posixpath.normpath(path) != path:
        return f'"{address}": a path is written without "//", "." and ".."'
    return ""


def certificate_hash(text: str) -> str:
    """SHA-256 of a certificate: 64 hexadecimal digits, also with colons between pairs of them."""
    return (
        ""
        if _SHA256.fullmatch(text)
        else f'"{text[:80]}" is not the SHA-256 of a certificate in hexadecimal digits'
    )


def certificate_spki(text: str) -> str:
    """SHA-256 of a public key (SPKI), in base64."""
    return (
        ""
        if _SHA256_BASE64.fullmatch(text)
        else f'"{text[:80]}" is not the SHA-256 of a public key in base64'
    )


def covers(wide: str, narrow: str) -> bool:
    """Whether every host that `narrow` stands for is one that `wide` stands for."""
    if wide == "*":
        return True
    if wide.startswith("*"):
        return narrow.removeprefix("*").endswith(wide[1:]) if narrow != "*" else False
    return wide == narrow
