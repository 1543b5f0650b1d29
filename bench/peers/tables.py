"""What is measured of each server over each protocol, in turns, and how it is shown."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bench import measure
from bench.paired import PROTOCOLS, Figure, Subject, figures, turns
from bench.peers.h2load import LoadFailed
from bench.peers.servers import Server

# Of a server over a protocol: one value or several. LoadFailed when requests fail.
Measured = Callable[[Subject, str], tuple[float, ...]]
Key = tuple[str, str]  # server, protocol
Found = dict[Key, list[Figure]]  # a figure for each value
Reasons = dict[Key, str]  # why there is none
Cell = Callable[[Sequence[Figure]], str]

_WIDTHS = (18, *[30] * len(PROTOCOLS))


def table(
    title: str, servers: Sequence[Server], base: str, measured: Measured, rounds: int, cell: Cell
) -> Found:
    """Measure and print; below the table stands why something is missing. Ratios are to the server `base`."""
    found: Found = {}
    reasons = {(server.name, protocol): why for server in servers for protocol, why in server.lacks.items()}
    for protocol in PROTOCOLS:
        there = [server.subject for server in servers if server.subject and protocol not in server.lacks]
        there.sort(key=lambda subject: subject.name != base)
        values, failures = _measure(there, protocol, measured, rounds)
        found |= {(name, protocol): figured for name, figured in with_ratios(values).items()}
        reasons |= {(name, protocol): why for name, why in failures.items()}
    measure.headline(title)
    for line in lines([server.name for server in servers], found, reasons, cell):
        measure.row(*line, widths=_WIDTHS)
    for why, keys in _together(reasons).items():
        print(f"  {', '.join(f'{name} {protocol}' for name, protocol in keys)}: {why}", flush=True)
    return found


def _measure(
    there: Sequence[Subject], protocol: str, measured: Measured, rounds: int
) -> tuple[dict[str, list[tuple[float, ...]]], dict[str, str]]:
    """Values by server, round by round; and why there are none, for a server that failed in any round."""
    failures: dict[str, str] = {}

    def values(subject: Subject) -> tuple[float, ...]:
        if subject.name not in failures:
            try:
                return measured(subject, protocol)
            except LoadFailed as error:
                failures[subject.name] = str(error)
        return ()

    rows = zip(there, turns(there, values, rounds), strict=True)
    return {subject.name: row for subject, row in rows if subject.name not in failures}, failures


def with_ratios(values: Mapping[str, Sequence[tuple[float, ...]]]) -> dict[str, list[Figure]]:
    """Values by server, round by round -> a figure for each value; ratios are to the first server."""
    if not values:
        return {}
    # By value, then by server, then by round.
    by_value = zip(*(zip(*rounds, strict=True) for rounds in values.values()), strict=True)
    columns = [figures(servers) for servers in by_value]
    return {name: [column[at] for column in columns] for at, name in enumerate(values)}


def lines(
    names: Iterable[str], found: Found, reasons: Mapping[Key, str], cell: Cell
) -> list[tuple[str, ...]]:
    """The table with its head; "-" stands for what has a reason instead."""
    shown = [
        (name, *(cell(found[name, at]) if (name, at) in found else "-" for at in PROTOCOLS)) for name in names
    ]
    missing = {(name, at) for name, *_ in shown for at in PROTOCOLS} - found.keys() - reasons.keys()
    if missing:
        raise ValueError(f"neither a figure nor a reason: {missing}")
    return [("", *PROTOCOLS), *shown]


def _together(reasons: Mapping[Key, str]) -> dict[str, list[Key]]:
    alike: dict[str, list[Key]] = {}
    for key, why in reasons.items():
        alike.setdefault(why, []).append(key)
    return alike
