"""The recorded verdicts are those of Envoy 1.40."""

import pytest

from mizzen.resources.formats.access_log import wrong_format

TAKEN = """
%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)%|%START_TIME%|%REQ(a?b)%|%REQ(:PATH?:authority):5%|%REQ(a)%%RESP(b)%|100%%|é
%DYNAMIC_METADATA(a:b:c):5%|%FILTER_STATE(a:FIELD:x)%|%METADATA(ROUTE:a):4%|%COMMON_DURATION(DS_RX_BEG:DS_RX_END:ms)%
%PATH(NQ:ORIG_OR_PATH)%|%PATH(NQ):5%|%QUERY_PARAMS(ORIG)%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%|%PROTOCOL()%
%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%|%ENVIRONMENT(X):5%|plain|
"""
REFUSED = """
%REQ(a b)%|%REQ(é)%|%REQ(a):99999999999999999999%|x%|%%%|%REQ(a)|% REQ(a)%|%req(a)%|%FILTER_STATE(a:FIELD)%|%REQ(x:y)%
%COMMON_DURATION(a:b:c)%|%PATH(WQ:X)%|%QUERY_PARAMS(WQ)%|%FILE_CONTENT(/etc/hostname)%|%PROTOCOL():5%|%PROTOCOL(a)%
%PROTOCOL %|a%b|%REQ%|%REQ()%|%DYNAMIC_METADATA()%|%CEL(()%|%NOBODY%|%METADATA(a)%|%UPSTREAM_METADATA(a):10%|%START_TIME:5%
"""


@pytest.mark.parametrize("text", TAKEN.strip("\n").replace("\n", "|").split("|"))
def test_what_envoy_takes(text: str) -> None:
    assert wrong_format(text) == ""


@pytest.mark.parametrize("text", REFUSED.strip().replace("\n", "|").split("|"))
def test_what_envoy_refuses(text: str) -> None:
    assert wrong_format(text)


def test_what_is_wrong_is_told() -> None:
    assert wrong_format("%START_TIME% %NOBODY%") == "there is no operator %NOBODY%"
    assert wrong_format("%REQ%") == "%REQ% needs parameters in parentheses"
    assert wrong_format("50% off").startswith("at '% off'")
