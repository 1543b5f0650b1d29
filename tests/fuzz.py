"""YAML that is valid by its declaration and nasty in its values: a case gets other values, or an object more.

What a field may hold is taken from the declarations (mizzen/resources), so a new field takes part by itself, and a new
kind too: an object of any kind in the table comes beside a case, whether a case has such or not.
"""

import dataclasses
import itertools
import random
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml

from mizzen.resources.declaring.compile import DeclaredField, declared_fields
from mizzen.resources.kinds import KINDS
from tests.golden import Case

TEXTS: tuple[str, ...] = (
    *("", " ", "*", "/", ".", "..", "a..b", "a b", "a\nb", "a\r\nx: y", "\t", "a\x00b", "\x7f", "é", "\u00a0", "\U0001f600"),
    *("x" * 64, "x" * 300, "x" * 20_000, "x" * 70_000, "/" + "x" * 20_000),
    *("%", "%%", "%%%", "%REQ(x)%", "%REQ()%", "%NOBODY%", "%START_TIME(%E)%", "%HOSTNAME%", "a%b", "%REQ(x):0%"),
    *("{", "}", "{*}", "{**}", "{a}", "(", "[", "\\", "\\1", "\\9", "$1", "?", "#", "a?b#c", "//", "/../", "%2f"),
    *(":", ":path", ":authority", "host", "connection", "transfer-encoding", "content-length", "x-a", "X-A"),
    *("-1", "0", "1", "65536", "9" * 30, "1.2.3.4", "1.2.3.4/33", "1.2.3.4/0", "::1", "fe80::1%eth0", "[::1]:80"),
    *("a.example", "*.example", "A.EXAMPLE", "http", "HTTPS", "TCP", "GET", "5xx", "200", "region/zone/sub", "//"),
    *("P-256", "X25519", "ECDHE-RSA-AES128-GCM-SHA256", "-ALL", "!x", "[A|B]", "AES128-SHA", "/dev/null", "/no/such/file"),
    *('{"a": "%REQ(x)%"}', '{"a": "%REQ("}', "JSON", "SameSite", "Lax", "Path", "a=b;c", "a,b", "kubernetes://x", "a.b.c.d"),
)  # fmt: skip
DURATIONS = (
    *("0s", "1ns", "1us", "1ms", "1500us", "1s", "1.5s", "-1s", "-1ns", "24h", "365h", "32767s", "32768s"),
    *("2147483647ms", "2147483648ms", "4294967295ms", "4294967296ms", "2147483648s", "4294967295s", "4294967296s"),
    *("9223372036854ms", "9223372035s", "9223372036s", "-9223372036s", "2562047h", "1000000h"),
)  # fmt: skip
NUMBERS = (
    *(0, 1, 2, 3, -1, 10, 50, 80, 99, 100, 101, 199, 200, 204, 299, 301, 404, 599, 600, 999, 1000, 1024, 8080, 8443),
    *(15021, 65535, 65536, 2**24, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1),
)  # fmt: skip
FLOATS = (0.0, -1.0, 1e-9, 0.0001, 0.5, 1.0, 33.333333, 99.99999, 100.0, 100.00001, 1e9, 1e300, 5e-324)
_PLAIN: dict[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: NUMBERS,
    float: FLOATS,
    timedelta: DURATIONS,
    bytes: ("", "YQ==", "AA=="),
}
# What concerns Kubernetes alone never reaches an Envoy.
SKIPPED = frozenset({"hub", "tag", "overlays", "affinity", "resources", "install"})
DEEPEST = 4
NEWCOMERS = 0.4  # of the examples
# Objects whose mistakes concern their own hosts alone, whatever is in them.
OF_THEIR_OWN = frozenset(
    {
        *(
            "Gateway",
            "VirtualService",
            "DestinationRule",
            "ServiceEntry",
            "WorkloadEntry",
            "Ingress",
            "IngressClass",
        ),
        *("Service", "EndpointSlice", "Endpoints", "Secret", "Pod", "Event", "Node", "ServiceAccount"),
    }
)
# Somebody who has nothing to do with what is changed, and wants to be served all the same.
NEIGHBOUR_PORT = 18_999
OPEN = 299  # what it answers, unless somebody forbids it
NEIGHBOUR = f"""
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: neighbour, namespace: neighbour}}
spec:
  servers: [{{port: {{number: {NEIGHBOUR_PORT}, name: http, protocol: HTTP}}, hosts: [neighbour.example]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: neighbour, namespace: neighbour}}
spec:
  hosts: [neighbour.example]
  gateways: [neighbour]
  http: [{{directResponse: {{status: {OPEN}, body: {{string: here}}}}}}]
""".encode()
# Kinds with most of the fields that Envoy sees.
WEIGHTS = {"VirtualService": 4, "DestinationRule": 4, "IstioOperator": 3}


def sweep(known: Iterable[Case]) -> Iterator[tuple[Case, bytes, str]]:
    """Every field that a case has (or has a place for), once with every value: (case, input, what was changed)."""
    places: dict[str, tuple[bool, Case, int, int]] = {}
    for case in known:
        for number, one in enumerate(_objects(case)):
            kind = KINDS.get(one.get("kind", ""))
            for index, slot in enumerate(slots(kind.declaration, one, kind.kind) if kind else ()):
                path = re.sub(r"\[[^]]*\]", "[]", f"{slot[2]}.{slot[1].key}")
                given = slot[1].key in slot[0]
                if path not in places or given > places[path][0]:
                    places[path] = (given, case, number, index)
    for path, (_, case, number, index) in sorted(places.items()):
        for count in itertools.count():
            objects = _objects(case)
            kind = KINDS[objects[number]["kind"]]
            holder, declared, _ = next(
                itertools.islice(slots(kind.declaration, objects[number], kind.kind), index, None)
            )
            values = _values(declared.type)
            if count >= len(values):
                break
            holder[declared.key] = values[count]
            yield case, _text(objects), f"{path} = {str(values[count])[:100]!r}"


def _values(hint: Any) -> tuple[Any, ...]:
    """Every value of a scalar, alone in a list, or under each key of a mapping; none of an element."""
    kind = _bare(hint)
    if get_origin(kind) is Literal:
        return get_args(kind)
    if get_origin(kind) is tuple:
        return tuple([value] for value in _values(get_args(kind)[0]))
    if get_origin(kind) is Mapping:
        inner = _values(get_args(kind)[1])
        by_key = tuple({key: inner[0] if inner else {}} for key in TEXTS)
        return by_key + tuple({"x-a": value} for value in inner)
    return () if dataclasses.is_dataclass(kind) else _PLAIN.get(kind, TEXTS)


def nasty(case: Case, source: random.Random) -> tuple[bytes, tuple[str, ...]]:
    """The input of `case` with one to three values changed, or an object more; and which. Each begins with its kind."""
    objects = _objects(case)
    if source.random() < NEWCOMERS:
        return _text([*objects, newcomer := made(source)]), (f"{newcomer['kind']} {newcomer}"[:300],)
    said = [changed(objects, source) for _ in range(source.choice((1, 1, 1, 2, 3)))]
    return _text(objects), tuple(filter(None, said))


def made(source: random.Random) -> dict[str, Any]:
    """An object of any kind, of what its declaration allows, where it may have an effect."""
    kind = KINDS[source.choice(sorted(KINDS))]
    metadata: dict[str, Any] = {"name": "newcomer", "namespace": source.choice(("istio-system", "default"))}
    value = _element(kind.declaration, source, 0)
    for one in declared_fields(kind.declaration):
        if one.key == "spec" and "spec" not in value:
            value["spec"] = _value(one.type, source, 1)
    return {**value, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def _objects(case: Case) -> list[dict[str, Any]]:
    """() of a case that is no YAML, on purpose."""
    try:
        found = [one for text in case.texts().values() for one in yaml.safe_load_all(text)]
    except yaml.YAMLError:
        return []
    return [one for one in found if isinstance(one, dict)]


def _text(objects: list[dict[str, Any]]) -> bytes:
    return yaml.safe_dump_all(objects, allow_unicode=True).encode("utf-8", "surrogatepass")


def changed(objects: list[dict[str, Any]], source: random.Random) -> str:
    """Change one declared field of one object, in place."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in objects:
        if one.get("kind") in KINDS:
            by_kind.setdefault(one["kind"], []).append(one)
    if not by_kind:
        return ""
    kinds = sorted(by_kind)
    kind = source.choices(kinds, [WEIGHTS.get(kind, 1) for kind in kinds])[0]
    one = source.choice(by_kind[kind])
    by_depth: dict[int, list[tuple[dict[str, Any], DeclaredField, str]]] = {}
    for slot in slots(KINDS[kind].declaration, one, kind):
        by_depth.setdefault(slot[2].count("."), []).append(slot)
    if not by_depth:
        return ""
    holder, declared, path = source.choice(by_depth[source.choice(sorted(by_depth))])
    old = holder.get(declared.key)
    value = _value(declared.type, source, 0)
    if isinstance(old, list) and isinstance(value, list) and source.random() < 0.5:
        value = [*old, *value]
    holder[declared.key] = value
    return f"{path}.{declared.key} = {str(value)[:100]!r}"


def slots(declaration: type, value: Any, path: str) -> Iterator[tuple[dict[str, Any], DeclaredField, str]]:
    """Every declared field of a mapping and of what it holds: (mapping, field, path of the mapping)."""
    if not isinstance(value, dict):
        return
    for declared in declared_fields(declaration):
        if declared.key in SKIPPED:
            continue
        yield value, declared, path
        yield from _inside(declared.type, value.get(declared.key), f"{path}.{declared.key}")


def _inside(hint: Any, value: Any, path: str) -> Iterator[tuple[dict[str, Any], DeclaredField, str]]:
    kind = _bare(hint)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        yield from slots(kind, value, path)
    elif get_origin(kind) is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside(get_args(kind)[0], item, f"{path}[{index}]")
    elif get_origin(kind) is Mapping and isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(get_args(kind)[1], item, f"{path}[{key}]")


def _bare(hint: Any) -> Any:
    """Without Annotated and None around it."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        some = [one for one in get_args(hint) if one is not types.NoneType]
        return _bare(some[0]) if len(some) == 1 else hint
    return hint


def _value(hint: Any, source: random.Random, depth: int) -> Any:
    kind = _bare(hint)
    if get_origin(kind) is Literal:
        return source.choice(get_args(kind))
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return [_value(item, source, depth + 1) for _ in range(source.choice((0, 1, 1, 2, 3)))]
    if get_origin(kind) is Mapping:
        item = get_args(kind)[1]
        return {
            source.choice(TEXTS): _value(item, source, depth + 1) for _ in range(source.choice((1, 1, 2)))
        }
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _element(kind, source, depth)
    return source.choice(_PLAIN.get(kind, TEXTS))


def _element(kind: type, source: random.Random, depth: int) -> dict[str, Any]:
    """What is required, and a field or two."""
    fields = [one for one in declared_fields(kind) if one.key not in SKIPPED]
    wanted = [one for one in fields if one.required]
    others = [one for one in fields if not one.required]
    if depth < DEEPEST and others:
        wanted += source.sample(others, min(len(others), source.choice((1, 1, 2, 3))))
    return {one.key: _value(one.type, source, depth + 1) for one in wanted}
