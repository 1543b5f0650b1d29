"""Listeners -> resources, by difference: a chain that is the same as before is not translated again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from mizzen._api import pb
from mizzen.envoy.changes import Changes
from mizzen.envoy.closing import Closing
from mizzen.envoy.filter_chain import closed_chain, filter_chain
from mizzen.envoy.joined import entry, frame
from mizzen.envoy.listener import FILTER_CHAINS, listener, own_chains
from mizzen.envoy.types import LISTENERS
from mizzen.envoy.violations import sound
from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.listener import Chain, HttpService, Listener

_NOBODY = ResourceRef(kind="")


@dataclass(frozen=True, slots=True)
class ChainPart:
    """A chain, whether its routes are scoped, and what it became."""

    chain: Chain
    scoped: bool
    entry: bytes
    problems: tuple[Problem, ...]

    def is_for(self, chain: Chain, scoped: bool) -> bool:
        """Is it what `chain` becomes? Equal chains may be written in other lines, which problems tell."""
        if self.scoped != scoped:
            return False
        return self.chain is chain or (not self.problems and self.chain == chain)


@dataclass(frozen=True, slots=True)
class ListenerParts:
    """A listener, and what is kept of its chains."""

    listener: Listener
    chains: tuple[ChainPart, ...]


Listeners = Mapping[str, ListenerParts]


def translate_listeners(
    listeners: Iterable[Listener], scoped: frozenset[str], before: Listeners, changes: Changes
) -> Listeners:
    """Translate what differs from `before`, and drop what is gone; gives what to keep for the next time.

    `scoped`: the route tables that are told host by host.
    """
    closing = Closing()
    made = {one.name: _translate(one, scoped, before.get(one.name), closing, changes) for one in listeners}
    for name in before.keys() - made.keys():
        changes.drop(LISTENERS, name)
    return made


def _translate(
    one: Listener, scoped: frozenset[str], before: ListenerParts | None, closing: Closing, changes: Changes
) -> ListenerParts:
    known: dict[str, ChainPart] = {}
    # Chains take from the rest of their listener.
    if before is not None and (one is before.listener or _but_chains(one) == _but_chains(before.listener)):
        known = {part.chain.name: part for part in before.chains}
    parts = []
    for chain in one.chains:
        is_scoped = isinstance(chain.serve, HttpService) and chain.serve.route_table in scoped
        part = known.get(chain.name)
        if part is None or not part.is_for(chain, is_scoped):
            part = _part(chain, one, is_scoped, closing)
        parts.append(part)
    made = ListenerParts(one, tuple(parts))
    if before is None or not _is_same(made, before):
        around = frame(listener(one), FILTER_CHAINS)
        entries = (*(part.entry for part in parts), *(_entry(chain) for chain in own_chains(one)))
        problems = dict.fromkeys(problem for part in parts for problem in part.problems)
        changes.put(LISTENERS, one.name, around.around(entries), tuple(problems))
    return made


def _is_same(made: ListenerParts, before: ListenerParts) -> bool:
    one, earlier = made.listener, before.listener
    if len(made.chains) != len(before.chains):
        return False
    if one is not earlier and (one.refused, one.sheds) != (earlier.refused, earlier.sheds):
        return False
    # They were taken over only where the rest of the listener is the same; without any chain nobody looked.
    all_same = all(part is known for part, known in zip(made.chains, before.chains, strict=True))
    return all_same and (one is earlier or _but_chains(one) == _but_chains(earlier))


def _but_chains(one: Listener) -> Listener:
    """What a chain may take from. The object of the first server is whom Envoy's refusal goes back to, no more."""
    return replace(one, chains=(), refused=(), sheds=False, origin=_NOBODY)


def _part(chain: Chain, one: Listener, scoped: bool, closing: Closing) -> ChainPart:
    """A chain that cannot be translated, or that Envoy would refuse, is reported, and refuses its connections."""
    problems: list[Problem] = []
    closed = closing.closed(chain, problems.append)
    make = partial(_sound_chain, closed, one, scoped)
    made = attempt(Stage.TRANSLATE, chain.origin, make, problems.append, None, chain.at)
    body = _entry(made or closed_chain(closed, one))
    return ChainPart(chain, scoped, body, tuple(dict.fromkeys(problems)))


def _sound_chain(chain: Chain, one: Listener, scoped: bool) -> pb.FilterChain:
    return sound(filter_chain(chain, one, scoped=scoped))


def _entry(chain: pb.FilterChain) -> bytes:
    return entry(chain, pb.Listener, FILTER_CHAINS)
