"""What is believed of files that flicker, as conversations: what is seen, when, and what is believed then."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.sources.reading import Seen, Text, Unreadable, Writer
from mizzen.sources.settling import NAMED_SECONDS, SAY_SECONDS, Belief, Settling
from mizzen.sources.versions import BRIEF_SECONDS, SETTLING_SECONDS, WRITING_SECONDS

DENIED = Unreadable("permission denied")


def service(name: str, *ports: int) -> str:
    rows = "".join(f"  - port: {port}\n    name: http-{port}\n" for port in ports or (80,))
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n{rows}"


A, B = service("a"), service("b")
BOTH = f"{A}---\n{B}"


@dataclass(slots=True)
class Folder:
    """A folder `d` as it is seen, with a clock of its own."""

    settling: Settling = field(default_factory=lambda: Settling(("d",)))
    now: float = 100.0
    files: dict[str, Text | Unreadable] = field(default_factory=dict)
    belief: Belief = field(default_factory=Belief)
    writes: int = 0

    def has(self, **texts: str) -> "Folder":
        for name, text in texts.items():
            self.write(name, text)
        return self.look()

    def write(self, name: str, text: str, *, inode: int = 1, **evidence: object) -> None:
        self.writes += 1
        content = text.encode()
        stamp = (1, inode, len(content), self.writes)
        self.files[f"d/{name}.yaml"] = Text(content=content, stamp=stamp, **evidence)  # type: ignore[arg-type]

    def look(self, after: float = 0.0, **seen: object) -> "Folder":
        self.now += after
        self.belief = self.settling.step(Seen(**{"files": dict(self.files), **seen}), self.now)  # type: ignore[arg-type]
        return self

    @property
    def names(self) -> str:
        return " ".join(
            f"{raw.name}:{len(raw.data['spec']['ports'])}"
            for _, version in self.settling.files
            for raw in version.objects
        )

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.belief.problems]


def test_what_is_new_or_changed_is_believed_at_once() -> None:
    folder = Folder().has(x=A)

    assert folder.has(x=service("a", 1, 2)).names == "a:2"
    assert folder.has(x=service("a", 3, 4)).names == "a:2"
    assert folder.belief.look_in is None


def test_a_new_object_at_the_end_waits_a_moment_unless_it_came_by_renaming() -> None:
    folder = Folder().has(x=A)
    folder.write("y", B, inode=2, is_renamed=True)
    folder.write("z", service("c"), inode=3)

    assert folder.look().names == "a:1 b:1"
    assert folder.look(BRIEF_SECONDS).names == "a:1 b:1 c:1"


def test_a_file_that_is_gone_is_kept_until_it_has_been_so_for_a_while() -> None:
    folder = Folder().has(x=A, y=B)
    del folder.files["d/x.yaml"]

    assert folder.look().names == "a:1 b:1"
    assert folder.belief.look_in == SAY_SECONDS
    assert folder.codes == []
    assert folder.look(SAY_SECONDS).codes == ["FILE-002"]
    assert folder.names == "a:1 b:1"
    assert folder.look(SETTLING_SECONDS - SAY_SECONDS).names == "b:1"
    assert (folder.codes, folder.belief.look_in) == ([], None)


@pytest.mark.parametrize("text", ["", "# nothing\n", A, BOTH[: len(A) + 20], "garbage: [\n"])
def test_a_file_that_lost_an_object_is_not_believed_at_once(text: str) -> None:
    folder = Folder().has(x=BOTH)
    folder.write("x", text)

    assert folder.look().names == "a:1 b:1"
    assert folder.look(SETTLING_SECONDS - 0.1).names == "a:1 b:1"
    assert folder.codes == ["FILE-002"]
    assert "b:1" not in folder.look(0.1).names
    assert "FILE-002" not in folder.codes


def test_a_broken_object_that_vanishes_while_it_is_mended_is_not_believed_gone() -> None:
    folder = Folder().has(x=BOTH)
    folder.has(x=BOTH.replace("port:", "port: ]")).look(SETTLING_SECONDS)
    assert folder.names == ""
    folder.write("x", f"{A}---\n")
    version = folder.look(BRIEF_SECONDS).settling.files[0][1]

    assert {name for *_, name in version.broken} == {"a", "b"}  # by which the last good one is kept
    assert folder.has(x=BOTH).look(BRIEF_SECONDS).names == "a:1 b:1"


def test_an_object_that_lost_its_end_is_not_believed_at_once() -> None:
    folder = Folder().has(x=service("a", 1, 2))
    folder.write("x", service("a", 1))

    assert folder.look().names == "a:2"
    assert folder.look(SETTLING_SECONDS).names == "a:1"


def test_an_object_that_lost_its_end_is_believed_when_it_came_by_renaming() -> None:
    folder = Folder().has(x=service("a", 1, 2))
    folder.write("x", service("a", 1), inode=2, is_renamed=True)

    assert folder.look().names == "a:1"


def test_a_changed_mode_is_not_taken_for_a_renaming() -> None:
    folder = Folder().has(x=service("a", 1, 2))
    folder.write("x", service("a", 1), is_renamed=True)  # the same inode

    assert folder.look().names == "a:2"


def test_every_change_begins_the_waiting_anew() -> None:
    folder = Folder().has(x=BOTH)
    for _ in range(5):
        folder.write("x", A)
        assert folder.look(SETTLING_SECONDS - 0.1).names == "a:1 b:1"


def test_what_somebody_writes_is_not_believed_before_it_is_closed() -> None:
    folder = Folder().has(x=A)
    folder.write("x", BOTH, writer=Writer.SOMEBODY)

    assert folder.look().names == "a:1"
    assert folder.belief.look_in is not None and folder.belief.look_in < 0.1
    assert folder.settling.doubtful == {"d/x.yaml"}
    assert folder.look(WRITING_SECONDS - 0.1).names == "a:1"
    stamp = folder.files["d/x.yaml"].stamp  # type: ignore[union-attr]
    folder.files["d/x.yaml"] = Text(content=BOTH.encode(), stamp=stamp)
    assert folder.look().names == "a:1 b:1"


def test_where_writers_are_not_known_a_new_end_waits_a_moment() -> None:
    folder = Folder().has(x=A)
    folder.write("x", BOTH, writer=Writer.UNKNOWN)

    assert folder.look().names == "a:1"
    assert folder.look(BRIEF_SECONDS).names == "a:1 b:1"


@pytest.mark.parametrize("below", [{}, {"folders": {"d": DENIED}}])
def test_what_cannot_be_read_is_kept_for_as_long_as_that_lasts(below: dict[str, object]) -> None:
    folder = Folder().has(x=A)
    before = dict(folder.files)
    folder.files = {} if below else {"d/x.yaml": DENIED}

    assert folder.look(**below).codes == []
    assert folder.look(SAY_SECONDS, **below).codes == ["FILE-001"]
    assert "permission denied; what it held before is still served" in folder.belief.problems[0].message
    assert folder.look(1e6, **below).names == "a:1"
    assert folder.belief.unreadable == {"d"} if below else {"d/x.yaml"}
    folder.files = before
    assert folder.look().names == "a:1"
    assert folder.codes == []


@pytest.mark.parametrize("missing", [frozenset(), frozenset({"d"})])
def test_a_named_folder_that_is_gone_or_emptied_is_kept_longer(missing: frozenset[str]) -> None:
    folder = Folder().has(x=A, y=B)
    folder.files.clear()

    assert folder.look(missing=missing).codes == []
    assert folder.look(NAMED_SECONDS - 0.1, missing=missing).names == "a:1 b:1"
    assert folder.codes == ["FILE-002"]
    assert folder.look(0.1, missing=missing).names == ""
    assert folder.codes == (["FILE-001"] if missing else [])


def test_what_is_wrong_from_the_beginning_is_said_at_once() -> None:
    folder = Folder()
    folder.files["d/x.yaml"] = DENIED

    assert folder.look().codes == ["FILE-001"]
    assert Folder().look(missing=frozenset({"d"})).codes == ["FILE-001"]


@pytest.mark.parametrize("first", ["x", "y", "both"])
def test_an_object_that_moves_to_another_file_is_neither_lost_nor_there_twice(first: str) -> None:
    folder = Folder().has(x=BOTH, y=service("c"))
    if first != "y":
        folder.write("x", A)
    if first != "x":
        folder.write("y", service("c") + "---\n" + B)
    assert sorted(folder.look().names.split()) == ["a:1", "b:1", "c:1"]
    folder.write("x", A)
    folder.write("y", service("c") + "---\n" + B)

    assert sorted(folder.look().names.split()) == ["a:1", "b:1", "c:1"]
    assert folder.look(BRIEF_SECONDS).names == "a:1 c:1 b:1"
    assert folder.belief.withheld == frozenset()


def test_a_renamed_file_is_believed_at_once() -> None:
    folder = Folder().has(x=A, y=B)
    folder.write("z", A, inode=1, is_renamed=True)
    del folder.files["d/x.yaml"]

    assert folder.look().names == "b:1 a:1"
    assert [name for name, _ in folder.settling.files] == ["d/y.yaml", "d/z.yaml"]


def test_the_same_text_with_another_stamp_changes_nothing() -> None:
    folder = Folder().has(x=A)
    before = folder.belief

    assert folder.has(x=A).belief == before


OBJECTS = st.lists(
    st.builds(
        lambda name, ports: service(name, *ports),
        st.sampled_from("abcd"),
        st.lists(st.integers(1, 3), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda text: text.splitlines()[3],
)


def ports_by_name(folder: Folder) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for _, version in folder.settling.files:
        for raw in version.objects:
            rows = (raw.data.get("spec") or {}).get("ports") or []
            found[raw.name] = {row["port"] for row in rows if "port" in row}
    return found


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(versions=st.lists(OBJECTS, min_size=2, max_size=3), data=st.data())
def test_rewriting_in_place_loses_nothing_that_both_versions_have(
    versions: list[list[str]], data: st.DataObject
) -> None:
    """Whatever beginnings of the new text are seen in between, and whoever has the file open then."""
    folder, whole = Folder().has(x="---\n".join(versions[0])), Folder()
    for objects in versions[1:]:
        text, before = "---\n".join(objects), ports_by_name(folder)
        after = ports_by_name(whole.has(x=text).look(SETTLING_SECONDS))
        for cut in sorted(data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4))):
            folder.write("x", text[:cut], writer=data.draw(st.sampled_from(tuple(Writer))))
            now = ports_by_name(folder.look(data.draw(st.sampled_from((0.01, 1.0)))))
            for name in before.keys() & after.keys():
                assert before[name] & after[name] <= now[name]
        folder.has(x=text).look(SETTLING_SECONDS)
        assert ports_by_name(folder) == after
