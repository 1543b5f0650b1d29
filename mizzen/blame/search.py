"""The search for those without whom all is well: bisection that finds several culprits, and blames no more than needed.

Suspects stand in a row. It is known (or tried first) that all is well with every one of them set aside. Then the shortest
beginning of the row is looked for with which all is not well: its last member is a culprit. It is set aside for good,
and the search goes on behind it, since the beginning before it is known to be well. With k suspects and c culprits
that takes at most 2 + c (1 + log2 k) trials. Where two are bad only together, the later in the row is blamed: put
whom you suspect most at the end.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Generic, TypeVar

from mizzen.lazy import dataclass

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Generic[T]):
    """Where a search stands. `next` says what to try, `hear` takes what came of it."""

    suspects: tuple[T, ...]  # whom one suspects most at the end
    blamed: tuple[T, ...] = ()  # in the order in which they were found
    is_explained: bool | None = None  # is all well with every suspect set aside? None: to be tried
    is_over: bool = False
    # All is well with the first `well` suspects (less those blamed), and not with the first `ill`. `ill` = 0: to be tried
    # with all of them.
    well: int = 0
    ill: int = 0

    @classmethod
    def over(cls, suspects: tuple[T, ...], *, is_explained: bool | None = None) -> "Search[T]":
        """A search that begins. It is known that all is not well while none of them is set aside.

        `is_explained`: True where it is known, too, that all is well without them.
        """
        unique = tuple(dict.fromkeys(suspects))
        begun = cls(suspects=unique, is_explained=is_explained if unique else False, ill=len(unique))
        return begun._narrowed() if begun.is_explained is not None else begun

    def next(self) -> frozenset[T] | None:
        """Whom to set aside in the next trial; None when the search is over."""
        if self.is_over:
            return None
        if self.is_explained is None:
            return frozenset(self.suspects)
        return self._aside((self.ill and (self.well + self.ill) // 2) or len(self.suspects))

    def _aside(self, allowed: int) -> frozenset[T]:
        return frozenset((*self.suspects[allowed:], *self.blamed))

    def hear(self, *, is_well: bool) -> "Search[T]":
        """What came of the trial that `next` asked for."""
        if self.is_explained is None:
            return replace(self, is_explained=is_well)._narrowed()
        if not self.ill:  # all but the blamed took part
            return (
                replace(self, is_over=True) if is_well else replace(self, ill=len(self.suspects))._narrowed()
            )
        middle = (self.well + self.ill) // 2
        return (replace(self, well=middle) if is_well else replace(self, ill=middle))._narrowed()

    def _narrowed(self) -> "Search[T]":
        """Blame whoever is found, as far as no trial is needed."""
        if not self.is_explained:
            return replace(self, is_over=True)
        if self.ill - self.well != 1:
            return self
        found = replace(self, blamed=(*self.blamed, self.suspects[self.ill - 1]), well=self.ill, ill=0)
        # Nobody is left behind the last: what was tried last is what is well.
        return replace(found, is_over=True) if found.well == len(self.suspects) else found
