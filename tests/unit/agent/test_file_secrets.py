"""Certificates in files beside a proxy, as its Envoy asks for them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mizzen.agent.file_secrets import FileSecrets
from mizzen.demo import certificates
from mizzen.resolve.context import FileFolders

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = certificates.authority("Test", NOW)
    pair = certificates.server("a.test", root, NOW)
    (tmp_path / "tls.crt").write_bytes(pair.certificate)
    (tmp_path / "tls.key").write_bytes(pair.key)
    (tmp_path / "ca.pem").write_bytes(root.certificate)
    return tmp_path


def test_what_is_asked_for_is_handed_over_and_what_went_bad_stays(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = FileSecrets(FileFolders(allowed=(str(folder),)))
    pair, roots = f"file-cert:{folder}/tls.crt~{folder}/tls.key", f"file-root:{folder}/ca.pem"
    lost = f"file-cert:{folder}/none.crt~{folder}/tls.key"

    assert files.follow({pair, roots, lost, "default", "ROOTCA", "file-root:system"})
    assert set(files.held) == {pair, roots}
    good = files.held[pair]
    assert good.tls_certificate.private_key.inline_bytes == (folder / "tls.key").read_bytes()
    assert files.held[roots].validation_context.trusted_ca.inline_bytes
    assert not files.follow({pair, roots, lost})

    (folder / "tls.key").write_bytes(certificates.server("a.test", certificates.authority("x", NOW), NOW).key)
    assert not files.follow({pair, roots, lost})
    assert not files.follow({pair, roots, lost})
    assert files.held[pair] == good
    assert caplog.text.count("the last good one is kept") == 1
    assert caplog.text.count("connections fail until it can") == 1

    assert files.follow({roots})
    assert set(files.held) == {roots}


def test_nothing_outside_of_its_folders_is_shown(folder: Path) -> None:
    files = FileSecrets(FileFolders(allowed=(f"{folder}/certs",)))

    assert not files.follow(
        {f"file-cert:{folder}/tls.crt~{folder}/tls.key", "file-cert:relative~", "file-root:/dev/zero"}
    )
    assert not files.held
    assert files.follow({f"file-root:{folder}/ca.pem"})  # what is public may be anywhere
