"""Keys of tokens that issuers publish: asked for before a start goes on, and followed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mizzen.model.token import KeySource
from mizzen.plane.following import Following, Kind
from mizzen.resolve.access.key_sources import key_sources
from mizzen.resolve.context import FetchedKeys
from mizzen.resolve.proxies.gateways import switches_of
from mizzen.resources.world import World
from mizzen.sources.state_file import StateFile

HELD = timedelta(days=7)  # Istio's: for so long keys hold that cannot be had any more
MOST = 1_000  # sources that are asked
KeySets = Following[KeySource, str, FetchedKeys]


def following_keys(
    fetch: Callable[[KeySource], Awaitable[str]],
    on_change: Callable[[], object],
    clock: Callable[[], datetime],
    kept: StateFile | None = None,
) -> KeySets:
    kind = Kind(
        told=lambda text, why: FetchedKeys(text=text or "", why=why),
        dump=lambda text: {"text": text},
        load=_text,
        held=HELD,
        most=MOST,
        too_many=f"more than {MOST:,} addresses of keys are named, and it is not asked",
    )
    return Following(kind, fetch, on_change, clock, kept)


def _text(kept: Mapping[str, Any]) -> str:
    if not isinstance(kept["text"], str):
        raise TypeError("no text")
    return kept["text"]


def wanted_sources(world: World, environment: Mapping[str, str]) -> tuple[KeySource, ...]:
    """Those that the RequestAuthentications of a world name, as the switches of its mesh say."""
    return key_sources(world, switches_of(world.operators, environment))
