"""What an Envoy refuses, until it has confirmed something better. Pure."""

from collections.abc import Mapping

from mizzen.serve.ads import ClientStatus
from mizzen.xds.snapshot import Snapshot

Refusals = Mapping[tuple[str, str], str]  # (type URL, name) -> why


def standing(before: Refusals, client: ClientStatus | None, snapshot: Snapshot) -> Refusals:
    """The refusals that hold now.

    A session forgets a refusal as soon as another version is on its way: nothing is mended by that. What was
    refused `before` stands until the client has confirmed that resource, or it is wanted no more. So does what it refuses
    of an earlier snapshot: where it is to hold again what it has, it says nothing more.
    """
    if client is None:
        return before
    now: dict[tuple[str, str], str] = {}
    for status in client.stream.types:
        for name, rejection in status.rejections.items():
            key = (status.type_url, name)
            wanted = snapshot.of(status.type_url).get(name)
            is_wanted = rejection.version == (wanted.version if wanted is not None else "")
            if is_wanted or not _is_mended(key, client, snapshot):
                now[key] = rejection.reason
    held = {
        key: why for key, why in before.items() if key not in now and not _is_mended(key, client, snapshot)
    }
    return {**held, **now}


def _is_mended(key: tuple[str, str], client: ClientStatus, snapshot: Snapshot) -> bool:
    url, name = key
    wanted = snapshot.of(url).get(name)
    if wanted is None:
        return True
    status = client.stream.of(url)
    return status is not None and status.acked.get(name) == wanted.version
