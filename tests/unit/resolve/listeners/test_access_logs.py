"""Where a gateway logs."""

import pytest

from mizzen.model.listener import AccessLog
from mizzen.resolve.listeners.access_logs import access_logs

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {MESH}
"""


@pytest.fixture
def configured(gateway):
    def make(mesh, *objects):
        return gateway("\n---\n".join((OPERATOR.replace("MESH", mesh), *objects)))

    return make


def test_without_a_word_there_is_no_log(gateway):
    assert access_logs(gateway("").ctx) == ()


def test_a_log_file_means_a_log(configured):
    assert access_logs(configured("accessLogFile: /dev/stdout").ctx) == (AccessLog(path="/dev/stdout"),)
    [log] = access_logs(configured("accessLogFile: /log, accessLogFormat: '%PROTOCOL%'").ctx)
    assert log.text_format == "%PROTOCOL%"


def test_a_json_log_has_istios_fields_or_the_users(configured):
    json = "accessLogFile: /log, accessLogEncoding: JSON"
    [log] = access_logs(configured(json).ctx)
    assert ("response_code", "%RESPONSE_CODE%") in log.json_format
    [log] = access_logs(configured(json + """, accessLogFormat: '{"p": "%PROTOCOL%"}'""").ctx)
    assert log.json_format == (("p", "%PROTOCOL%"),)
    found = configured(json + ", accessLogFormat: '[1'")
    [log] = access_logs(found.ctx)
    assert found.codes == ["GW-009"]
    assert len(log.json_format) > 10
