"""What each declared field becomes in Envoy: envoy_fields.txt, read and checked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.fields_table import Meaning, declarations

PATH = Path(__file__).with_name("envoy_fields.txt")
_OTHERS = "*"
_NOT_HERE, _WARNED, _UNDECLARED = "~", "!", "-"
ENVOY = re.compile(r"\b([A-Z]\w+)\.([a-z]\w*)\b")  # Message.field


def read(text: str) -> dict[str, dict[str, str]]:
    """Section -> field -> what is said of it. Raises ValueError for a line that is neither."""
    sections: dict[str, dict[str, str]] = {}
    here: dict[str, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition(" = ")
        if line.startswith("[") and line.endswith("]"):
            here = sections.setdefault(line[1:-1], {})
        elif here is not None and equals and key not in here:
            here[key] = value
        else:
            raise ValueError(f"{PATH.name}:{number}: {line}")
    return sections


def meanings() -> Mapping[str, Mapping[str, Meaning]]:
    """Section -> field -> its status and what it becomes; fields that no declaration has, too."""
    found: dict[str, dict[str, Meaning]] = {}
    sections = read(PATH.read_text())
    for name, declaration in declarations().items():
        entries = sections.get(name, {})
        declared = {
            one.key: entries.get(one.key, entries.get(_OTHERS, "")) for one in declared_fields(declaration)
        }
        beside = {key[1:]: value for key, value in entries.items() if key.startswith(_UNDECLARED)}
        found[name] = {key: _meaning(value) for key, value in (declared | beside).items()}
        found[name] |= {
            key: Meaning("noted", f"no effect: {why}") for key, why in _of(declaration, "IDLE").items()
        }
        gone = {**_of(declaration, "RETIRED"), **_of(declaration, "SUCCEEDED")}
        found[name] |= {key: Meaning("retired", why) for key, why in gone.items()}
    return found


def _of(declaration: type, table: str) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(declaration, table, {})
    return found


def _meaning(text: str) -> Meaning:
    if text.startswith(_NOT_HERE):
        return Meaning("not for a gateway", text[1:].strip())
    if text.startswith(_WARNED):
        return Meaning("warned of", text[1:].strip())
    return Meaning("read", text)


def faults(known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """What is missing or too much. `known`: the fields of Envoy's messages, by the simple name of the message."""
    sections = read(PATH.read_text())
    for name, declaration in declarations().items():
        entries = sections.pop(name, None)
        keys = {one.key for one in declared_fields(declaration)}
        if entries is None:
            yield f"[{name}] is missing"
            continue
        if _OTHERS not in entries:
            yield from (f"[{name}] {key} is missing" for key in sorted(keys - entries.keys()))
        for key, value in entries.items():
            if key.startswith(_UNDECLARED) and key[1:] in keys:
                yield f"[{name}] {key[1:]} is declared by now"
            elif key.startswith(_UNDECLARED) and key[1:] in _of(declaration, "IDLE"):
                yield f"[{name}] {key[1:]} says its reason in its declaration"
            elif not key.startswith((_UNDECLARED, _OTHERS)) and key not in keys:
                yield f"[{name}] {key} is declared no more"
            for message, field in ENVOY.findall(value):
                if field not in known.get(message, ()):
                    yield f"[{name}] {key}: Envoy has no {message}.{field}"
    yield from (f"[{name}] is declared no more" for name in sections)
