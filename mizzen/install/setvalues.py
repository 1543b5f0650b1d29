"""`--set components.ingressGateways[0].k8s.replicaCount=2`: what it means, and putting it into a declaration.

As Helm and istioctl read it:

    a.b=c                a field
    a.b[0].c=d           an item of a list, by its number; one that is not there yet comes last
    a.[name:x].c=d       the item of a list whose field `name` is x
    a\\.b=c               a name with a dot in it
    a={x,y}              a list; [] is an empty one
    a=1,b=2              two of them; \\, is a comma
    a=null               the field is taken away

A value is a boolean, a number, or else a text; `"1"` is a text. A number that would not be written in this
very way (1.10, 007) stays a text, so that a tag keeps its zeros.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = r"(?:\\.|[^.\[\]=\\])+"
_STEP = re.compile(rf"(?P<name>{_NAMES})|\[(?P<index>-?\d+)\]|\[(?P<key>[^\[\]:]+):(?P<value>[^\[\]]*)\]")
_LONGEST_LIST = 1_000  # items; `a[999999999]=1` is a slip, not a list

Step = str | int | tuple[str, str]  # a field, a number, or a field and its value


class SetError(ValueError):
    """A `--set` that cannot be followed; the message names it."""


def assigned(declaration: Mapping[str, Any], said: str) -> dict[str, Any]:
    """`declaration` with the assignments of one `--set` put into it. The argument stays as it was.

    Raises:
        SetError: when `said` cannot be read, or leads through something that is no mapping or list.
    """
    result: dict[str, Any] = _copied(declaration)
    for path, value in parsed(said):
        _put(result, path, value, said)
    return result


def parsed(said: str) -> tuple[tuple[tuple[Step, ...], Any], ...]:
    """The assignments of one `--set`: (path, value). Raises SetError."""
    found: list[tuple[tuple[Step, ...], Any]] = []
    for part in _split(said, ","):
        name, equals, value = part.partition("=")
        if not equals:
            hint = " (a comma in a value is written \\,)" if found else ""
            raise SetError(f"--set {said}: {part!r} is not PATH=VALUE{hint}")
        found.append((path_of(name, said), _value(value)))
    return tuple(found)


def path_of(text: str, said: str) -> tuple[Step, ...]:
    """The steps of a path. Raises SetError, which names `said`."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise SetError(f"--set {said}: the path {text!r} cannot be read from {text[at:]!r} on")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["key"] is not None:
            steps.append((step["key"], step["value"]))
        else:
            steps.append(re.sub(r"\\(.)", r"\1", step["name"]))
        at = step.end()
        if at < len(text) and text[at] == ".":
            at += 1
            if at == len(text):
                raise SetError(f"--set {said}: the path {text!r} ends with a dot")
    if not steps or not isinstance(steps[0], str):
        raise SetError(f"--set {said}: the path {text!r} must begin with a field")
    return tuple(steps)


def _split(text: str, at: str) -> Iterator[str]:
    """The parts between separators that stand neither behind a backslash, in braces nor in quotes."""
    part, depth, quoted, index = "", 0, False, 0
    while index < len(text):
        sign = text[index]
        if sign == "\\" and index + 1 < len(text):
            part += text[index : index + 2]
            index += 2
            continue
        quoted ^= sign == '"'
        depth += 0 if quoted else (sign == "{") - (sign == "}")
        if sign == at and depth <= 0 and not quoted:
            yield part
            part = ""
        else:
            part += sign
        index += 1
    yield part


def _value(text: str) -> Any:
    if text.startswith("{") and text.endswith("}"):
        inner = text[1:-1]
        return [_scalar(item) for item in _split(inner, ",")] if inner.strip() else []
    return [] if text == "[]" else _scalar(text)


def _scalar(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"')
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text and text not in ("inf", "-inf", "nan"):
            return number
    return re.sub(r"\\(.)", r"\1", text)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _put(within: Any, path: tuple[Step, ...], value: Any, said: str) -> None:
    for number, step in enumerate(path[:-1]):
        within = _entered(within, step, path[number + 1], said)
    last = path[-1]
    if isinstance(last, str):
        if not isinstance(within, dict):
            raise SetError(f"--set {said}: {last!r} is looked for in something that is no mapping")
        if value is None:
            within.pop(last, None)
        else:
            within[last] = value
        return
    place = _index(within, last, said)
    if value is None:
        del within[place : place + 1]
    else:
        within[place : place + 1] = [value]


def _entered(within: Any, step: Step, following: Step, said: str) -> Any:
    """What `step` leads to; made when it is not there."""
    empty: Any = {} if isinstance(following, str) else []
    if isinstance(step, str):
        if not isinstance(within, dict):
            raise SetError(f"--set {said}: {step!r} is looked for in something that is no mapping")
        if within.get(step) is None:
            within[step] = empty
        return within[step]
    place = _index(within, step, said)
    if place == len(within):
        within.append({step[0]: step[1]} if isinstance(step, tuple) else empty)
    return within[place]


def _index(within: Any, step: Step, said: str) -> int:
    """Where in a list `step` is; its length when it would be the next item."""
    shown = f"[{step[0]}:{step[1]}]" if isinstance(step, tuple) else f"[{step}]"
    if not isinstance(within, list):
        raise SetError(f"--set {said}: {shown} is looked for in something that is no list")
    if isinstance(step, tuple):
        for place, item in enumerate(within):
            if isinstance(item, Mapping) and str(item.get(step[0])) == step[1]:
                return place
        return len(within)
    assert isinstance(step, int)
    place = step + len(within) if step < 0 else step
    if not 0 <= place <= min(len(within), _LONGEST_LIST):
        raise SetError(f"--set {said}: there is no item {shown}, the list has {len(within)}")
    return place
