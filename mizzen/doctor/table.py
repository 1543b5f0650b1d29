"""Reports as a person reads them at a glance. Pure."""

import textwrap
from collections.abc import Callable, Sequence

from mizzen.doctor.links import Link, Name, Report

Style = Callable[[str, bool | None], str]
_MARKS = {True: "ok", False: "BROKEN", None: "-"}
_MARK_WIDTH = max(map(len, _MARKS.values())) + 2
_NAME_WIDTH = max(len(name.value) for name in Name) + 2
_INDENT = " " * (_MARK_WIDTH + _NAME_WIDTH)
_LEAST = 40  # columns of prose


def plain(text: str, _: bool | None) -> str:
    return text


def rendered(
    reports: Sequence[Report], width: int, style: Style = plain, sections: Sequence[str] = ()
) -> str:
    """One report in full; several as columns side by side, and what is not fine of each below.

    `sections`: what is told of each beside its links; "" nothing.
    """
    sections = sections or [""] * len(reports)
    if len(reports) == 1:
        return _full(reports[0], width, style, sections[0])
    below = [
        f"\n{heading(report, style)}\n"
        + "".join(_row(link, width, style) for link in report.links if _is_worth(link))
        + section
        for report, section in zip(reports, sections, strict=True)
        if section or any(map(_is_worth, report.links))
    ]
    return _columns(reports, style) + "".join(below)


def heading(report: Report, style: Style = plain) -> str:
    """What is wrong, in one line."""
    broken = report.broken
    if broken is None:
        h3 = next(link for link in report.links if link.link is Name.H3)
        seen = "HTTP/3 works" if h3.ok else "nothing is broken, as far as can be seen from here"
        return f"{report.url}: {style(seen, h3.ok)}"
    return f"{report.url}: {style(f'broken at {broken.link.value}', False)}"


def _is_worth(link: Link) -> bool:
    return link.ok is False or bool(link.remedy)


def _full(report: Report, width: int, style: Style, section: str) -> str:
    text = heading(report, style) + "\n" + "".join(_row(link, width, style) for link in report.links)
    text += section
    if report.broken and report.broken.remedy:
        text += f"\n{_wrapped(f'What to do: {report.broken.remedy}', width, '')}"
    return text


def _row(link: Link, width: int, style: Style) -> str:
    return row(link.link.value, link.ok, link.said, link.remedy, width, style)


def row(name: str, ok: bool | None, said: str, remedy: str, width: int, style: Style = plain) -> str:
    """Its mark, its name, and what is said of it."""
    mark = style(_MARKS[ok].ljust(_MARK_WIDTH), ok)
    text = f"{mark}{name.ljust(_NAME_WIDTH)}{_wrapped(said, width, _INDENT).lstrip()}"
    return text + (_wrapped(f"-> {remedy}", width, _INDENT) if remedy else "")


def _wrapped(text: str, width: int, indent: str) -> str:
    lines = textwrap.wrap(
        text,
        max(width, _LEAST + len(indent)),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "".join(f"{line}\n" for line in lines)


def _columns(reports: Sequence[Report], style: Style) -> str:
    widths = [max(len(report.url), _MARK_WIDTH) + 2 for report in reports]
    head = "LINK".ljust(_NAME_WIDTH) + "".join(
        report.url.ljust(width) for report, width in zip(reports, widths, strict=True)
    )
    lines = [head.rstrip()]
    for index, name in enumerate(Name):
        cells = [
            style(_MARKS[report.links[index].ok].ljust(width), report.links[index].ok)
            for report, width in zip(reports, [*widths[:-1], 0], strict=True)
        ]
        lines.append(name.value.ljust(_NAME_WIDTH) + "".join(cells))
    return "".join(f"{line}\n" for line in lines)
