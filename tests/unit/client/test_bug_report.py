"""What leaves with a bug report, and what does not."""

import json
import tarfile
from pathlib import Path

from mizzen.cli.bug_report import pack
from mizzen.client.bug_report import shown
from mizzen.redaction import hidden_document

KEY = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----"


def test_of_a_secret_only_the_names_and_sizes_are_shown() -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"tls.key": "c2VjcmV0"}}'}
    secret = {"metadata": {"name": "a", "annotations": last}, "data": {"tls.key": "c2VjcmV0"}}
    found = shown(secret, "/api/v1/namespaces/a/secrets")
    assert found["data"] == {"tls.key": "[8 characters]"}
    assert "c2VjcmV0" not in json.dumps(found)


def test_variables_of_applications_are_hidden_and_those_of_the_proxy_are_not() -> None:
    def container(name: str) -> dict[str, object]:
        return {"name": name, "env": [{"name": "PASSWORD", "value": "hunter2"}]}

    pod = {"metadata": {"name": "a"}, "spec": {"containers": [container("app"), container("istio-proxy")]}}
    containers = shown(pod, "/api/v1/pods")["spec"]["containers"]
    assert containers[0]["env"][0]["value"] == "[hidden]"
    assert containers[1]["env"][0]["value"] == "hunter2"


def test_a_private_key_leaves_nowhere() -> None:
    assert "MIGH" not in hidden_document(f"a log line\n{KEY}\nanother")


def test_the_archive_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "report.tar.gz"
    pack(file, [("a/b.txt", "text")])
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["mizzen-bug-report/a/b.txt"]
