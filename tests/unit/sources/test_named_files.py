"""Files that objects name by their paths."""

import os
from pathlib import Path

import pytest

from mizzen.resolve.context import FileFolders, NamedFile
from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.sources import named_files
from mizzen.sources.listing import Difference, Moment, difference
from mizzen.sources.named_files import Named, NamedFiles, named_in, stamps
from mizzen.sources.named_files import read as read_named

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: r, namespace: n}}
spec:
  host: a.test
  trafficPolicy:
    tls: {{mode: SIMPLE, caCertificates: {ca}}}
    portLevelSettings: [{{port: {{number: 1}}, tls: {{mode: SIMPLE, caCertificates: system, caCrl: /etc/crl.pem}}}}]
"""


def read(paths: list[str], before: dict[str, NamedFile] | None = None) -> dict[str, NamedFile]:
    return read_named(dict.fromkeys(paths, True), FileFolders(), before)


def test_paths_are_found_wherever_a_rule_has_them() -> None:
    other = (
        "\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {caCertificates: /etc/passwd}}"
    )
    objects, _ = parse_documents(RULE.format(ca="/etc/ca.pem") + other, "a.yaml")

    assert named_in(objects) == {"/etc/ca.pem": True, "/etc/crl.pem": True}


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"roots")
    link = tmp_path / "link"
    link.symlink_to(file)

    assert read([str(file), str(link)]) == dict.fromkeys((str(file), str(link)), NamedFile(content=b"roots"))


def test_nothing_that_may_never_end_is_opened(tmp_path: Path) -> None:
    pipe, to_device, to_proc = tmp_path / "pipe", tmp_path / "device", tmp_path / "proc"
    os.mkfifo(pipe)
    to_device.symlink_to("/dev/zero")
    to_proc.symlink_to("/proc/self/environ")

    for path in (
        pipe,
        to_device,
        to_proc,
        tmp_path,
        Path("/dev/zero"),
        Path("/proc/kmsg"),
        tmp_path / "none",
    ):
        found = read([str(path)])[str(path)]
        assert found.why, path
        assert not found.content
    assert read(["/a\0b"])["/a\0b"].why


def test_what_is_read_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_files, "LARGEST", 10)
    monkeypatch.setattr(named_files, "MOST_BYTES", 15)
    for name, size in (("a", 11), ("b", 10), ("c", 10), ("d", 5)):
        (tmp_path / name).write_bytes(b"x" * size)

    found = read([str(tmp_path / name) for name in "abcd"])

    assert [len(one.content) for one in found.values()] == [0, 10, 0, 5]
    assert [bool(one.why) for one in found.values()] == [True, False, True, False]


def test_what_cannot_be_read_any_more_stays(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"roots")
    paths = [str(file)]
    before, stamped = read(paths), stamps(paths)
    file.unlink()

    after = read(paths, before)

    assert after[paths[0]].content == b"roots"
    assert after[paths[0]].why
    assert stamps(paths) != stamped


def test_only_what_has_changed_is_searched_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    found = named_in

    def counted(objects: tuple[RawObject, ...]) -> Named:
        searched.extend(raw.name for raw in objects)
        return found(objects)

    monkeypatch.setattr(named_files, "named_in", counted)
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    for file in (ca, other):
        file.write_bytes(b"roots")
    rules = {
        name: parse_documents(RULE.format(ca=path).replace("name: r", f"name: {name}"), f"{name}.yaml")[0][0]
        for name, path in (("first", ca), ("second", ca), ("third", other))
    }
    named, moment = NamedFiles(), Moment(objects=(rules["first"], rules["second"]))
    named.follow(moment)
    assert named.files[str(ca)].content == b"roots"
    assert searched == ["first", "second"]
    objects = (rules["second"], rules["third"])
    changed = difference(moment.objects, objects)
    moment = Moment(objects=objects, added=changed.added, gone=changed.gone, since=moment.token)
    named.follow(moment)
    assert changed == Difference(added=(rules["third"],), gone=(rules["first"],))
    assert searched == ["first", "second", "third"]
    assert {str(ca), str(other)} < named.files.keys()
    named.follow(Moment(objects=(rules["third"],)))
    assert str(ca) not in named.files


def test_a_file_that_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"roots")
    (rule,), _ = parse_documents(RULE.format(ca=file).replace(", caCrl: /etc/crl.pem", ""), "r.yaml")
    named, moment = NamedFiles(), Moment(objects=(rule,))
    with monkeypatch.context() as patched:
        patched.setattr(named_files, "LARGEST", 1)
        named.follow(moment)
    assert named.files[str(file)].why
    named.follow(moment)
    assert named.files[str(file)] == NamedFile(content=b"roots")
    before = named.files
    named.follow(moment)
    assert named.files is before


GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: g, namespace: n}}
spec:
  servers:
  - port: {{number: 443, name: https, protocol: HTTPS}}
    hosts: [a.test]
    tls: {{mode: MUTUAL, serverCertificate: {folder}/tls.crt, privateKey: {folder}/tls.key, caCertificates: {folder}/tls.crt}}
"""


def test_keys_are_read_in_their_folders_alone_wherever_links_lead(tmp_path: Path) -> None:
    inside, outside = tmp_path / "certs", tmp_path / "other"
    own = inside / "own"
    for folder in (inside, outside, own):
        folder.mkdir()
        (folder / "tls.crt").write_bytes(b"certificate")
        (folder / "tls.key").write_bytes(b"key")
    (inside / "link.key").symlink_to(outside / "tls.key")
    folders = FileFolders(allowed=(str(inside),), closed=(str(own),))

    def may(path: Path, *, is_public: bool = False) -> tuple[bytes, bool]:
        found = read_named({str(path): is_public}, folders)[str(path)]
        assert bool(found.why) is not bool(found.content)
        return found.content, found.may_be_shown

    assert may(inside / "tls.key") == (b"key", True)
    for refused in (outside / "tls.key", inside / "link.key", own / "tls.key", tmp_path / "certs2/tls.key"):
        assert may(refused) == (b"", False)
    # What is named as public too is read; it is nobody's own certificate all the same.
    assert may(outside / "tls.crt", is_public=True) == (b"certificate", False)
    (gateway,), _ = parse_documents(GATEWAY.format(folder=outside), "g.yaml")
    assert named_in((gateway,)) == {f"{outside}/tls.crt": True, f"{outside}/tls.key": False}
