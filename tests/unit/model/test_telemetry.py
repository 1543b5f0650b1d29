"""What is logged and traced, as values."""

from dataclasses import replace

from mizzen.model.telemetry import AccessLog, FileLog, Tracer


def test_what_says_the_same_is_the_same():
    """A listener changes only when what it logs or traces does."""
    log = AccessLog(to=FileLog(path="/log"))
    assert log == AccessLog(to=FileLog(path="/log"))
    assert log != replace(log, only="response.code >= 400")
    tracer = Tracer(kind="zipkin", backend="zipkin", service="gw")
    assert len({tracer, replace(tracer), replace(tracer, path_length=1)}) == 2
