from types import MappingProxyType

from mizzen.xds.resource_type import LISTENER, ROUTES, ResourceType
from mizzen.xds.status import Rejection, StreamStatus, SyncState, TypeStatus


def type_status(kind: ResourceType, **rejected: str) -> TypeStatus:
    return TypeStatus(
        type_url=kind.url,
        short=kind.short,
        state=SyncState.ERROR if rejected else SyncState.SYNCED,
        sent=1,
        unanswered=(),
        subscribed=frozenset(),
        wildcard=False,
        acked=MappingProxyType({}),
        rejections=MappingProxyType(
            {name: Rejection(version="1", reason=reason) for name, reason in rejected.items()}
        ),
        last_error="",
    )


def test_rejections_of_all_types_are_told_with_their_reason() -> None:
    status = StreamStatus(types=(type_status(LISTENER, shop="cannot bind"), type_status(ROUTES)))

    assert status.rejections == {(LISTENER.url, "shop"): "cannot bind"}


def test_a_type_is_found_by_its_url() -> None:
    listeners = type_status(LISTENER)

    assert StreamStatus(types=(listeners,)).of(LISTENER.url) is listeners
    assert StreamStatus(types=(listeners,)).of(ROUTES.url) is None
