"""Commands in header values. That Envoy takes all of them is for tests/e2e/test_substitution.py."""

import pytest

from mizzen.resources.formats.substitution import fault


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain",
        "100%%",
        "%%%PROTOCOL%%%",
        "%REQ(x-a)%",
        "%REQ(x-a?:authority):10%",
        "%START_TIME(%Y/%m/%dT%H:%M:%S%z %3f)%",
        "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload:sub)%",
        "%CEL(request.headers['x-a'])%",
        "%PATH(NQ:ORIG)%",
        "%HOSTNAME% over %PROTOCOL%",
        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%",
    ],
)
def test_what_envoy_takes_and_clients_may_see(value: str) -> None:
    assert fault(value) == ""


@pytest.mark.parametrize(
    "name", ["ENVIRONMENT(HOME)", "ENVIRONMENT(HOME):3", "FILE_CONTENT(/x)", "SECRET(a)"]
)
def test_nothing_of_the_host_is_told(name: str) -> None:
    assert "host" in fault(f"a %REQ(b)% %{name}%")


@pytest.mark.parametrize(
    "value",
    [
        "%",
        "100%",
        "a%b",
        "%protocol%",
        "%NOBODY%",
        "%REQ%",
        "%REQ()%",
        "%REQ(a b)%",
        "%REQ(a?b?c)%",
        "%REQ(a)",
        "%REQ(a):%",
        "%REQ(a):9999999999%",
        "%PROTOCOL(x)%",
        "%PROTOCOL:3%",
        "%DYNAMIC_METADATA()%",
        "%CEL(()%",
        "%CEL(xds.node.id)%",
        "%CEL(request.in)%",
        "%START_TIME(%n)%",
        "%START_TIME(%)%",
        "%GRPC_STATUS(x)%",
        "%FILTER_STATE(a:FIELD)%",
        "%METADATA(X:a)%",
        "%COALESCE({})%",
        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(-1)%",
    ],
)
def test_what_would_make_envoy_refuse_the_whole_table(value: str) -> None:
    assert fault(value)
