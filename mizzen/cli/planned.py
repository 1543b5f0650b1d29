"""A plan as people read it."""

from collections.abc import Iterator, Sequence

from mizzen.cli.tables import table
from mizzen.errors import printable
from mizzen.lazy import dataclass
from mizzen.plan.effects import Because, Change, Effect, Plan

MOST_ROWS = 100
_MOST_HOSTS = 3  # of one row
_MOST_CAUSES = 4
_PADDING = 2
_SAID = {
    Effect.NONE: "nothing happens to any connection",
    Effect.ROUTES: "requests are answered by other rules, and no connection is closed",
    Effect.ENDPOINTS: "requests reach other backends, and no connection is closed",
    Effect.CERTIFICATE: "new connections meet another certificate, and none is closed",
    Effect.OPENS: "something is served that was not, and no connection is closed",
    Effect.RECONNECTS: "clients are asked to leave, and come again at once",
    Effect.CLOSES_H3: "all HTTP/3 of a listener ends, and is offered again when the drain time is over",
    Effect.WITHDRAWS_H3: "HTTP/3 is withdrawn: clients go back to TCP",
    Effect.CLOSES_ALL: "Envoy must be started anew, which ends every connection",
    Effect.UNSERVED: "something is not served any more",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """Changes that are alike but for their hosts and listeners."""

    changes: tuple[Change, ...]

    def cells(self, columns: Sequence[str]) -> tuple[str, ...]:
        first = self.changes[0]
        listeners = _distinct(one.listener for one in self.changes)
        hosts = _distinct(one.host for one in self.changes)
        told = {
            "EFFECT": first.effect.value,
            "GATEWAY": first.gateway or "-",
            "LISTENER": _few(listeners) if first.gateway else "-",
            "HOST": _few(hosts) if first.gateway else "-",
            "UNTIL": first.until.strftime("%Y-%m-%d %H:%MZ") if first.until is not None else "-",
            "BECAUSE": _because(first.because),
        }
        return tuple(told[name] for name in columns)


def text_of(plan: Plan) -> str:
    """A table, and the hint below each row that has one; the worst at last."""
    rows = _rows(plan.changes)
    columns = [
        name
        for name, is_shown in (
            ("EFFECT", True),
            ("GATEWAY", len({one.gateway for one in plan.changes if one.gateway}) > 1),
            ("LISTENER", True),
            ("HOST", True),
            ("UNTIL", any(one.until is not None for one in plan.changes)),
            ("BECAUSE", True),
        )
        if is_shown
    ]
    said = f"{plan.worst.value}: {_SAID[plan.worst]}\n"
    if not rows:
        return said
    shown, more = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    lines = table(columns, [row.cells(columns) for row in shown], _PADDING).splitlines()
    text = lines[0] + "\n"
    for row, line in zip(shown, lines[1:], strict=True):
        text += f"{line}\n"
        text += f"  hint: {row.changes[0].hint}\n" if row.changes[0].hint else ""
    text += f"{more} more rows are not shown (-o json has them all)\n" if more > 0 else ""
    return f"{text}\n{said}"


def _rows(changes: Sequence[Change]) -> list[_Row]:
    """Changes with the same effect and the same cause are one row."""
    found: dict[tuple[object, ...], list[Change]] = {}
    for one in changes:
        kind = (one.effect, one.gateway, one.because, one.until, one.hint, one.host is None)
        found.setdefault(kind, []).append(one)
    return [_Row(tuple(some)) for some in found.values()]


def _distinct(names: Iterator[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(printable(name) if name is not None else "(all)" for name in names))


def _few(names: Sequence[str], most: int = _MOST_HOSTS) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _because(causes: Sequence[Because]) -> str:
    texts = []
    for one in causes:
        said = one.to_json()
        texts.append(
            " ".join(
                filter(None, (said["resource"], said["field"], said["origin"] and f"({said['origin']})"))
            )
        )
    return _few(texts, _MOST_CAUSES) or "-"
