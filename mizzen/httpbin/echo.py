"""What a request looked like, in the shapes of httpbin's JSON. No I/O: the caller hands in the body."""

import base64
import json
from collections.abc import Iterable, Mapping
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from mizzen.lazy import dataclass

# A value that came once is a text, one that came several times is a list: httpbin's way.
Multi = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    scheme: str
    path: str  # as on the wire: percent-encoded, without the query
    query: str
    headers: tuple[tuple[str, str], ...]  # in order of arrival, names in lower case
    peer: str  # the address of the other end of the connection

    def header(self, name: str) -> str:
        """The first value of a header, "" when it is absent."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def origin(self) -> str:
        """Who asked: what proxies say, else the peer."""
        return self.header("x-forwarded-for") or self.peer

    @property
    def url(self) -> str:
        """The URL as the client wrote it, as far as proxies tell."""
        scheme = self.header("x-forwarded-proto") or self.scheme
        query = f"?{self.query}" if self.query else ""
        return f"{scheme}://{self.header('host')}{self.path}{query}"


def shown_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every header that arrived, names written as httpbin writes them; repeated ones joined by a comma.

    >>> shown_headers([("x-b3-traceid", "1"), ("accept", "a"), ("accept", "b")])
    {'X-B3-Traceid': '1', 'Accept': 'a,b'}
    """
    shown: dict[str, str] = {}
    for name, value in headers:
        title = "-".join(part.capitalize() for part in name.split("-"))
        shown[title] = f"{shown[title]},{value}" if title in shown else value
    return shown


def grouped(pairs: Iterable[tuple[str, str]]) -> Multi:
    """Pairs by name; a name that came more than once has a list."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def arguments(seen: Seen) -> Multi:
    """The query parameters."""
    return grouped(parse_qsl(seen.query, keep_blank_values=True))


def as_text(body: bytes, media_type: str) -> str:
    """The body as text, or as a data: URL when it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        encoded = base64.b64encode(body).decode("ascii")
        return f"data:{media_type or 'application/octet-stream'};base64,{encoded}"


def _parts(body: bytes, content_type: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Fields and files of a multipart/form-data body (RFC 7578)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    for part in BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts():
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        name = str(part.get_param("name", "", header="content-disposition"))
        filename = part.get_filename()
        if filename is None:
            fields.append((name, as_text(content, "")))
        else:
            files.append((name, as_text(content, part.get_content_type())))
    return fields, files


def body_view(seen: Seen, body: bytes) -> dict[str, Any]:
    """`data`, `files`, `form` and `json` of a request with a body, as httpbin sorts them."""
    content_type = seen.header("content-type")
    media_type = content_type.partition(";")[0].strip().lower()
    data, form, files = "", Multi(), Multi()
    if media_type == "application/x-www-form-urlencoded":
        form = grouped(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    elif media_type == "multipart/form-data":
        fields, attached = _parts(body, content_type)
        form, files = grouped(fields), grouped(attached)
    else:
        data = as_text(body, media_type)
    try:
        parsed = json.loads(body) if data else None
    except ValueError:
        parsed = None
    return {"data": data, "files": files, "form": form, "json": parsed}


def request_view(seen: Seen) -> dict[str, Any]:
    """What /get shows: `args`, `headers`, `origin`, `url`."""
    return {
        "args": arguments(seen),
        "headers": shown_headers(seen.headers),
        "origin": seen.origin,
        "url": seen.url,
    }


def as_json(value: Mapping[str, Any]) -> bytes:
    """JSON as httpbin prints it: sorted, two spaces, a newline at the end."""
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
