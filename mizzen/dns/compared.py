"""What a name server says of the hosts, held against what is justified."""

from collections.abc import Iterator, Mapping

from mizzen.dns.justified import Justified, by_name, in_order
from mizzen.dns.record import Unnameable, owner_name
from mizzen.dns.zone_file import texts
from mizzen.lazy import dataclass

Said = Mapping[str, tuple[str, ...]]  # name -> its HTTPS records, each as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A name of which a server says something else."""

    name: str
    missing: tuple[str, ...]  # that are justified
    surplus: tuple[str, ...]  # that are not


def names(found: Justified) -> tuple[str, ...]:
    """The names to ask for: those of records, and of hosts that must have none."""
    asked = dict.fromkeys(one.record.name for one in found.listed)
    for left in found.left_out:
        try:
            asked.setdefault(owner_name(left.host, left.served.binding.port))
        except Unnameable:
            continue  # nobody can ask for it
    return tuple(sorted(asked, key=in_order))


def compared(found: Justified, said: Said, canonical: Said) -> tuple[Difference, ...]:
    """The names that differ. `canonical`: the justified records as the texts in `said` are written."""
    wanted = {name: canonical[name] for name in by_name(found.listed)}
    different = []
    for name in names(found):
        ours, theirs = set(wanted.get(name, ())), set(said.get(name, ()))
        if ours != theirs:
            missing, surplus = tuple(sorted(ours - theirs)), tuple(sorted(theirs - ours))
            different.append(Difference(name=name, missing=missing, surplus=surplus))
    return tuple(different)


def differences(found: tuple[Difference, ...]) -> str:
    """For people: + is missing there, - should not be there."""
    return texts(_lines(found))


def _lines(found: tuple[Difference, ...]) -> Iterator[str]:
    for one in found:
        for sign, some in (("-", one.surplus), ("+", one.missing)):
            yield from (f"{sign} {one.name} IN HTTPS {rdata}" for rdata in some)
