"""Folders of Kustomize."""

import os
import shutil
from pathlib import Path

import pytest

from mizzen.sources import kustomize
from mizzen.sources.files import Files
from mizzen.sources.kustomize import BUILT, BuildFailed, build, kustomization_of, tree

# Stands for kubectl: prints the files that a kustomization names, in order, and says what it was asked.
KUBECTL = """#!/bin/sh
[ "$1" = kustomize ] || exit 9
cd "$2" || exit 1
grep -q broken kustomization.yaml && { echo "Error: it is broken" >&2; exit 1; }
sed -n 's/^- //p' kustomization.yaml | while read -r file; do echo ---; cat "$file"; done
"""
OBJECT = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on the PATH, with the stand-in for kubectl."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    base, site = tmp_path / "base", tmp_path / "site"
    for folder in (base, site):
        folder.mkdir()
    (base / "kustomization.yaml").write_text("resources:\n- web.yaml\n")
    (base / "web.yaml").write_text(OBJECT % "web")
    (site / "kustomization.yaml").write_text("resources:\n- ../base/web.yaml\n- own.yaml\n")
    (site / "own.yaml").write_text(OBJECT % "own")
    (site / "patch.yaml").write_text(OBJECT % "never")
    return site


def names(listing) -> list[str]:
    return sorted(raw.name for raw in listing.objects)


@pytest.mark.parametrize("name", kustomize.NAMES)
def test_a_folder_is_one_of_kustomize_by_its_file(tmp_path: Path, name: str) -> None:
    assert kustomization_of(str(tmp_path)) == ""
    (tmp_path / name).write_text("")
    assert kustomization_of(str(tmp_path)) == str(tmp_path / name)


def test_a_build_goes_by_what_the_kustomization_names_elsewhere_too(site: Path) -> None:
    base = site.parent / "base"
    (site / "kustomization.yaml").write_text(
        "resources: [../base]\nconfigMapGenerator:\n- files: [x=../outside.txt]\n"
    )
    (site.parent / "outside.txt").write_text("x")
    (site / ".git").mkdir()
    (site / ".git" / "index").write_text("x")
    found = tree(str(site))
    assert {os.path.relpath(path, site.parent) for path in found.files} == {
        *(f"site/{name}" for name in ("kustomization.yaml", "own.yaml", "patch.yaml")),
        *(f"base/{name}" for name in ("kustomization.yaml", "web.yaml")),
        "outside.txt",
    }
    before = found.state
    (base / "web.yaml").write_text(OBJECT % "longer")
    assert tree(str(site)).state != before


def test_bases_that_name_each_other_end(site: Path) -> None:
    (site / "kustomization.yaml").write_text("resources: [../base]\n")
    (site.parent / "base" / "kustomization.yaml").write_text("resources: [../site]\n")
    assert len(tree(str(site)).directories) == 2


def test_what_the_tool_says_is_said(on_path: Path, site: Path) -> None:
    assert build(str(site)).decode().count("kind: Service") == 2
    (site / "kustomization.yaml").write_text("broken")
    with pytest.raises(BuildFailed, match=f"kubectl kustomize {site} says: Error: it is broken"):
        build(str(site))


def test_a_tool_that_is_missing_or_cannot_be_run_is_named(
    on_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (on_path / "kubectl").write_text("#!/nowhere\n")
    with pytest.raises(BuildFailed, match="cannot be run: no such file"):
        build(str(site))
    (on_path / "kubectl").unlink()
    monkeypatch.setenv("PATH", str(on_path))
    with pytest.raises(BuildFailed, match="neither kubectl nor kustomize is on the PATH"):
        build(str(site))
    (on_path / "kustomize").write_text("#!/bin/sh\necho $@\n")
    (on_path / "kustomize").chmod(0o755)
    assert build(str(site)).decode() == f"build {site}\n"


def test_a_tool_that_hangs_is_ended(on_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (on_path / "kubectl").write_text("#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr(kustomize, "SECONDS", 0.2)
    with pytest.raises(BuildFailed, match=r"has not ended within 0\.2 seconds"):
        build(str(site))


def test_a_named_folder_is_built_and_no_file_of_it_is_read_by_itself(on_path: Path, site: Path) -> None:
    listing = Files([str(site)]).listing()
    assert names(listing) == ["own", "web"]
    assert listing.problems == ()
    assert {raw.ref.place().file for raw in listing.objects} == {f"{site}/{BUILT}"}
    assert names(Files([str(site / "kustomization.yaml")]).listing()) == ["own", "web"]


def test_every_change_below_it_builds_it_anew_and_a_broken_one_keeps_the_last(
    on_path: Path, site: Path
) -> None:
    now = [0.0]
    files = Files([str(site)], clock=lambda: now[0])
    assert names(files.listing()) == ["own", "web"]
    (site.parent / "base" / "web.yaml").write_text(f"{OBJECT % 'web'}---\n{OBJECT % 'web2'}")
    assert names(files.listing()) == ["own", "web", "web2"]
    (site / "kustomization.yaml").write_text("broken")
    files.listing()
    now[0] += 5.0
    broken = files.listing()
    assert names(broken) == ["own", "web", "web2"]
    [problem] = broken.problems
    assert problem.code == "FILE-005"
    assert "says: Error: it is broken; what it held before is still served" in problem.message
    (site / "kustomization.yaml").write_text("resources:\n- ../base/web.yaml\n- own.yaml\n")
    assert files.listing().problems == ()


def test_what_a_build_takes_away_goes_when_it_stays_away(on_path: Path, site: Path) -> None:
    now = [0.0]
    files = Files([str(site)], clock=lambda: now[0])
    assert names(files.listing()) == ["own", "web"]
    (site / "kustomization.yaml").write_text("resources:\n- own.yaml\n")
    assert names(files.listing()) == ["own", "web"]
    for _ in range(20):
        now[0] += 1.0
        files.listing()
    assert names(files.listing()) == ["own"]


def test_nothing_is_built_twice_of_what_is_the_same(on_path: Path, site: Path) -> None:
    files = Files([str(site)])
    first = files.listing()
    (on_path / "kubectl").write_text("#!/bin/sh\nexit 1\n")
    assert files.listing().objects == first.objects


def test_one_below_a_named_folder_is_told_of_and_left_out(on_path: Path, site: Path) -> None:
    (site.parent / "plain.yaml").write_text(OBJECT % "plain")
    listing = Files([str(site.parent)]).listing()
    assert names(listing) == ["plain"]
    assert [(one.code, one.hint) for one in listing.problems] == [
        ("FILE-005", f"Name the folder that is meant: -k {folder}.")
        for folder in (site.parent / "base", site)
    ]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not here")
def test_kubectl_itself_lays_patches_over_objects(site: Path) -> None:
    (site / "kustomization.yaml").write_text("resources: [../base]\npatches: [{path: patch.yaml}]\n")
    (site / "patch.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}\n"
    )
    [raw] = Files([str(site)]).listing().objects
    assert (raw.name, raw.data["spec"]["type"]) == ("web", "NodePort")
