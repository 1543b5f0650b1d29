"""What holds for any YAML: order does not matter, the same gives the same, nothing raises, memory changes nothing."""

import copy
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mizzen.pipeline import Build, Memory, Settings, to_snapshot
from mizzen.resources.kinds import INERT, KINDS
from tests.golden import Case, built, cases, problems_text, rendered

# Not those that are large by intention (a whole catalogue; tens of thousands of routes): each build of theirs takes long.
CASES = tuple(
    case
    for case in cases()
    if not case.name.startswith("scenarios/") and "multiply-into-too-many" not in case.name
)
SEPARATOR = b"\n---\n"


def examples(number: int) -> settings:
    """The same ones in every run."""
    return settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def documents(case: Case) -> list[bytes]:
    """Every document of a case, each as a text of its own."""
    return [part for text in case.texts().values() for part in (b"\n" + text).split(SEPARATOR)]


def outcome(build: Build) -> str:
    """All that a build says: every resource of every gateway, and every problem."""
    gateways = {one.proxy.key: rendered(one) for one in build.gateways}
    return json.dumps(gateways, indent=1) + problems_text(build)


# --- order ------------------------------------------------------------------------------------------


@examples(150)
@given(case=st.sampled_from(CASES), order=st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_read_does_not_matter(case: Case, order: random.Random) -> None:
    files = [(f"{number}.yaml", text) for number, text in enumerate(documents(case))]
    expected = outcome(built(dict(files), case.settings))
    order.shuffle(files)

    assert outcome(built(dict(files), case.settings)) == expected


@examples(150)
@given(
    # Of two objects of one name the later is kept: there, and only there, order is what decides.
    case=st.sampled_from([case for case in CASES if "one-name-twice" not in case.name]),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_documents_in_a_file_does_not_matter(case: Case, order: random.Random) -> None:
    parts = documents(case)
    expected = without_places(built({"all.yaml": SEPARATOR.join(parts)}, case.settings))
    order.shuffle(parts)

    assert without_places(built({"all.yaml": SEPARATOR.join(parts)}, case.settings)) == expected


def without_places(build: Build) -> tuple[str, list[tuple[str, ...]]]:
    """What a build says, but for where in the file."""
    gateways = {one.proxy.key: rendered(one) for one in build.gateways}
    problems = [{key: text for key, text in one.value().items() if key != "origin"} for one in build.problems]
    # A key that stands twice is told with the line of the first.
    said = [tuple(one.values()) for one in problems if one["code"] != "YML-003"]
    return json.dumps(gateways), sorted(said)


# --- sameness ---------------------------------------------------------------------------------------


def digest() -> str:
    """Of everything that all cases become, but for certificates: those are new in each process."""
    said = hashlib.sha256()
    for case in CASES:
        build = case.build()
        for gateway in build.gateways:
            said.update(json.dumps(rendered(gateway) | {"secrets": []}).encode())
        said.update(problems_text(build).encode())
    return said.hexdigest()


def test_the_same_yaml_gives_the_same_bytes_in_every_process() -> None:
    command = [sys.executable, "-c", "from tests.test_properties import digest; print(digest())"]
    started = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    said = [process.communicate()[0] for process in started]

    assert said[0] == said[1] != ""


# --- anything goes ----------------------------------------------------------------------------------

# Values where others were: wrong types, limits, and what YAML, Go and Envoy each read in their own way.
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 80, 65536, 2**31, 2**70, 10**398, 0.5, float("inf"), float("nan")),
    *(
        "",
        " ",
        "*",
        "*.",
        "*/*",
        "./x",
        "~",
        "/",
        ".",
        "a b",
        "x" * 300,
        "1" * 5000,
        "[" * 5000,
        "\u0000",
        "\ud7ff",
        "é",
        "%",
        "%REQ(x)%",
    ),
    *("1s", "-1s", "1e9h", "(", "TCP", "unix://", "1.2.3.4/33", "::", "kubernetes://x", "cluster.local"),
    *([], {}, [None], [[]], [{}], {"": ""}, {"a": None}, {"exact": None}, {"number": 0}, ["*", "*"]),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from places(item)


def delete(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    del container[key]


def replace(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    container[key] = copy.deepcopy(draw(st.sampled_from(ODD)))


def graft(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    """Put something of another case here."""
    strange = trees(draw(st.sampled_from(CASES)))
    found = list(places(strange))
    if found:
        other, at = draw(st.sampled_from(found))
        container[key] = copy.deepcopy(other[at])


def rename(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    if isinstance(container, dict):
        container[draw(st.sampled_from((f"{key}x", str(key).lower(), "host", 1, None)))] = container.pop(key)


def repeat(container: Any, key: Any, draw: Callable[..., Any]) -> None:
    if isinstance(container, list):
        container.append(copy.deepcopy(container[key]))


CHANGES = (delete, replace, replace, graft, rename, repeat)


def trees(case: Case) -> list[Any]:
    """The documents of a case as values; those that are no YAML are left out."""
    found = []
    for text in documents(case):
        try:
            found.append(yaml.safe_load(text))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
    return found


def changed(objects: list[Any], draw: Callable[..., Any]) -> None:
    """Change one thing somewhere in `objects`."""
    found = list(places(objects))
    if found:
        container, key = draw(st.sampled_from(found))
        draw(st.sampled_from(CHANGES))(container, key, draw)


def as_text(objects: list[Any]) -> bytes:
    return yaml.safe_dump_all(objects, allow_unicode=True).encode("utf-8", "surrogatepass")


def damaged(text: bytes, draw: Callable[..., Any]) -> bytes:
    """`text` cut off, with a line gone or doubled, or with a byte changed."""
    at = draw(st.integers(0, len(text)))
    lines = text.splitlines(keepends=True)
    line = text.count(b"\n", 0, at)
    how = draw(st.sampled_from(("cut", "lose", "double", "indent", "byte")))
    if how == "cut":
        return text[:at]
    if how == "byte":
        return (
            text[:at]
            + bytes([draw(st.sampled_from(b"\x00\t:-[]{}&*!|>'\"%@`#,?\xff\n 0a"))])
            + text[at + 1 :]
        )
    instead = {"lose": [], "double": [*lines[line : line + 1] * 2], "indent": [b" ", *lines[line : line + 1]]}
    return b"".join([*lines[:line], *instead[how], *lines[line + 1 :]])


def all_the_way(build: Build) -> None:
    """Through every stage that the control plane has. The guards must have nothing to do."""
    assert not [line for line in problems_text(build).splitlines() if " error INT-" in line]
    for gateway in build.gateways:
        to_snapshot(gateway.config(gateway.announced_when_proven()), None)


@examples(500)
@given(data=st.data())
def test_no_object_raises(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    objects = trees(case)
    for _ in range(data.draw(st.integers(1, 4))):
        changed(objects, data.draw)

    all_the_way(built({"input.yaml": as_text(objects)}, case.settings))


@examples(300)
@given(data=st.data())
def test_no_text_raises(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    text = SEPARATOR.join(documents(case))
    for _ in range(data.draw(st.integers(1, 3))):
        text = damaged(text, data.draw)

    all_the_way(built({"input.yaml": text}, case.settings))


# --- whose kind it is -------------------------------------------------------------------------------

# None that an object of a case has: two of one group, kind and name take each other's place.
GROUPS = ("gateway.networking.k8s.io", "serving.knative.dev", "guards.example.com")


def of_others(case: Case, draw: Callable[..., Any]) -> bytes:
    """An object of another group with the kind and name of one of the case, whole or broken."""
    written = [one for one in trees(case) if isinstance(one, dict) and "metadata" in one and "kind" in one]
    one = copy.deepcopy(draw(st.sampled_from(written or [{"metadata": {"name": "a"}}])))
    kind = one["kind"] if one.get("kind") in KINDS else draw(st.sampled_from(sorted(KINDS | INERT)))
    body = draw(st.sampled_from(({}, {"spec": 7}, {"spec": {"rules": 7}}, one, one)))
    api_version = f"{draw(st.sampled_from(GROUPS))}/v1"
    other = {**body, "apiVersion": api_version, "kind": kind, "metadata": one["metadata"]}
    tail = draw(st.sampled_from((b"", b"", b"", b"spec: {}\nspec: {}\n", b"spec: ]\n", b"\xff: 1\n")))
    return as_text([{key: value for key, value in other.items() if not tail or key != "spec"}]) + tail


@examples(100)
@given(data=st.data())
def test_objects_of_other_groups_with_our_kinds_change_nothing(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    file = data.draw(st.sampled_from(("0-others.yaml", "z-others.yaml")))
    count = data.draw(st.integers(1, 3))
    others = SEPARATOR.join(of_others(case, data.draw) for _ in range(count))

    alone, beside = built(case.texts(), case.settings), built({**case.texts(), file: others}, case.settings)
    told = [one for one in beside.problems if one.origin.file == file]

    assert [rendered(one) for one in beside.gateways] == [rendered(one) for one in alone.gateways]
    assert [one for one in beside.problems if one not in told] == list(alone.problems)
    assert {one.code for one in told} <= {"KIND-001", "META-002", "YML-001", "YML-002", "YML-003"}
    assert not any("-others.yaml" not in one.message for one in told if one.code == "META-002")


# --- memory -----------------------------------------------------------------------------------------


@examples(40)
@given(data=st.data())
def test_a_remembered_build_equals_a_full_one_after_every_edit(data: st.DataObject) -> None:
    memory, everything = Memory(), Settings()
    files: dict[str, list[Any]] = {}
    before, known = {}, {}
    for _ in range(5):
        name = data.draw(st.sampled_from(("a.yaml", "b.yaml", "c.yaml")))
        edit = data.draw(st.sampled_from(("write", "change", "change", "move", "remove")))
        if edit == "remove":
            files.pop(name, None)
        elif edit == "move" and name in files:
            files[data.draw(st.sampled_from(("0.yaml", "z.yaml")))] = files.pop(name)
        elif edit == "change" and name in files:
            changed(files[name], data.draw)
        else:
            files[name] = trees(data.draw(st.sampled_from(CASES)))
        texts = {name: as_text(objects) for name, objects in sorted(files.items())}
        remembered, full = built(texts, everything, memory), built(texts, everything)
        assert outcome(remembered) == outcome(full)
        for gateway, anew in zip(remembered.gateways, full.gateways, strict=True):
            announced = gateway.announced_when_proven()
            made, whole = (
                gateway.config(announced, known.get(gateway.proxy.key)),
                anew.config(announced),
            )
            assert made == whole
            told = map(str, map(remembered.world.located, made.problems))  # with their places
            assert list(told) == list(map(str, whole.problems))
            sent = to_snapshot(made, before.get(gateway.proxy.key))
            assert sent.types == to_snapshot(whole, None).types
            before[gateway.proxy.key], known[gateway.proxy.key] = sent, made
