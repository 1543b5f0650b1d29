"""What is done to headers: the four lists that routes, weighted clusters and others have alike."""

from collections.abc import Iterable
from typing import Protocol

from mizzen._api import pb
from mizzen.model.route import HeaderChanges, HeaderValue


class HasHeaderLists(Protocol):
    """A message with Envoy's four lists, `pb.Route` for instance."""

    @property
    def request_headers_to_add(self) -> "_Repeated": ...
    @property
    def request_headers_to_remove(self) -> "_Names": ...
    @property
    def response_headers_to_add(self) -> "_Repeated": ...
    @property
    def response_headers_to_remove(self) -> "_Names": ...


class _Repeated(Protocol):
    def extend(self, values: Iterable[pb.HeaderValueOption], /) -> None: ...


class _Names(Protocol):
    def extend(self, values: Iterable[str], /) -> None: ...


def add_header_changes(changes: HeaderChanges, to: HasHeaderLists) -> None:
    """Append `changes` to the lists of a message."""
    if changes.request:
        to.request_headers_to_add.extend(header_value_option(value) for value in changes.request)
    if changes.request_remove:
        to.request_headers_to_remove.extend(changes.request_remove)
    if changes.response:
        to.response_headers_to_add.extend(header_value_option(value) for value in changes.response)
    if changes.response_remove:
        to.response_headers_to_remove.extend(changes.response_remove)


def header_value_option(value: HeaderValue) -> pb.HeaderValueOption:
    """`keep_empty_value` stays unset, as in Istio: a value that turns out empty changes nothing."""
    out = pb.HeaderValueOption(header=pb.HeaderValue(key=value.name, value=value.value))
    if value.overwrite:
        out.append_action = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return out
