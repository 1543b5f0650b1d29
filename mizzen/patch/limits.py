"""The limits of request headers where an EnvoyFilter sets them: for the filter that answers 431, not for codecs that reset.

`max_request_headers_kb` and `max_headers_count` of a connection manager are limits of its codec, which answers over HTTP/1.1 alone
(envoy/filters/header_limits). Where our filter judges, what a patch merges there is what that filter goes by, alike over
HTTP/1.1, 2 and 3; the codecs let more pass, as ever.
"""

from collections.abc import Iterable
from dataclasses import replace

from mizzen._api import pb
from mizzen.envoy.filters import header_limits
from mizzen.model.listener import Edge


def hide(manager: pb.HttpConnectionManager) -> bool:
    """Take the codec's own limits out, so that what is there after merging is what a patch says. Is there our filter?"""
    if not any(one.name == header_limits.NAME for one in manager.http_filters):
        return False
    manager.ClearField("max_request_headers_kb")
    manager.common_http_protocol_options.ClearField("max_headers_count")
    return True


def restore(manager: pb.HttpConnectionManager, edge: Edge) -> None:
    """After merging: the filter judges by what stands there now (else as before: `edge`), and the codecs take more."""
    common, asked = manager.common_http_protocol_options, edge
    if manager.HasField("max_request_headers_kb"):
        asked = replace(asked, most_header_kib=manager.max_request_headers_kb.value)
    if common.HasField("max_headers_count"):
        asked = replace(asked, most_headers=common.max_headers_count.value)
    kib, count = header_limits.codec_limits(asked)
    manager.max_request_headers_kb.value, common.max_headers_count.value = kib, count
    if asked != edge:
        for filters in _lists(manager):
            for one in filters:
                if one.name == header_limits.NAME:
                    one.CopyFrom(header_limits.filter_of(asked.most_header_kib, asked.most_headers))


def _lists(manager: pb.HttpConnectionManager) -> Iterable[Iterable[pb.HttpFilter]]:
    return manager.http_filters, *(upgrade.filters for upgrade in manager.upgrade_configs)
