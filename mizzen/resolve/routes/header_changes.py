"""What rules do to headers, and which host name they make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mizzen.lazy import dataclass
from mizzen.model.route import NO_CHANGES, OPERATION_HEADER, HeaderChanges, HeaderValue
from mizzen.resources.istio.virtual_service import HeaderOperations, Headers

_HOST = frozenset({"host", ":authority"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The changes of one `headers` block, and the host that it sets ("" sets none)."""

    changes: HeaderChanges = NO_CHANGES
    host: str = ""


_UNCHANGED = Changed()


def header_changes(headers: Headers | None) -> Changed:
    """Set before add, each by name; what would touch pseudo-headers is left out."""
    if headers is None:
        return _UNCHANGED
    request, response = headers.request, headers.response
    changes = HeaderChanges(
        request=tuple(_values(request)),
        request_remove=_removed(request),
        response=tuple(_values(response)),
        response_remove=_removed(response),
    )
    return Changed(
        changes=NO_CHANGES if changes == NO_CHANGES else changes,
        host=_host(request.set) or _host(request.add) if request else "",
    )


def telling_operation(changes: HeaderChanges, operation: str) -> HeaderChanges:
    """The same, and the backend's proxy learns what a trace calls the request, as it does from a tracer."""
    told = HeaderValue(name=OPERATION_HEADER, value=operation.replace("%", "%%"), overwrite=True)
    return replace(changes, request=(told, *changes.request))


def _values(operations: HeaderOperations | None) -> Iterator[HeaderValue]:
    if operations is None:
        return
    for values, overwrite in ((operations.set, True), (operations.add, False)):
        for name, value in sorted(values.items()):
            if _is_plain(name):
                yield HeaderValue(name=name, value=value, overwrite=overwrite)


def _removed(operations: HeaderOperations | None) -> tuple[str, ...]:
    return tuple(name for name in operations.remove if _is_plain(name)) if operations else ()


def _is_plain(name: str) -> bool:
    return not name.startswith(":") and name.lower() != "host"


def _host(values: Mapping[str, str]) -> str:
    return next((value for name, value in sorted(values.items()) if name.lower() in _HOST), "")
