"""What the translation makes, on a real Envoy that is told over delta ADS, asked by real clients."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from mizzen.envoy.config import EXTENSION_CONFIGS
from mizzen.model.quic import QuicTransport
from mizzen.model.tls import ClientAuth, ClientTls
from mizzen.persistent import by_name
from tests.harness import small_models as small
from tests.harness.clients import CERTIFICATE_REQUIRED, curl, visit
from tests.harness.h3_raw import converse, plain
from tests.harness.served_model import ALT_SVC, serving, until
from tests.harness.small_models import CA_PEM, HOST

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/get"
UNKNOWN = "https://nobody.test:8443/get"
HANDSHAKE_FAILURE = 0x128  # TLS alert 40 (RFC 8446, section 6.2)


async def test_a_server_and_its_mirror_answer_alike_and_announce_it(httpbin: int) -> None:
    async with serving(small.mirrored(port=httpbin)):
        for protocol in ("h1", "h2", "h3"):
            answer = await asyncio.to_thread(curl, protocol, URL, ca_pem=CA_PEM)
            assert (answer.error, answer.status, answer.all("alt-svc")) == (None, 200, (ALT_SVC,)), protocol
            assert answer.header("server") == "istio-envoy"


async def test_a_client_that_asks_quic_for_an_unknown_name_is_refused_and_shown_no_certificate(
    httpbin: int,
) -> None:
    async with serving(small.mirrored(port=httpbin)) as served:
        refused = await asyncio.to_thread(visit, UNKNOWN, ca_pem=CA_PEM)
        assert refused.close_code == HANDSHAKE_FAILURE
        # Over TCP the connection is reset; libcurl says of both at once that they failed.
        for protocol in ("h2", "h3"):
            answer = await asyncio.to_thread(curl, protocol, UNKNOWN, ca_pem=CA_PEM, timeout=2)
            assert answer.error is not None
            assert not answer.error.is_timeout
        assert served.stat("http.refuse-unknown.downstream_rq_total") == 0


async def test_a_client_without_a_certificate_is_refused_over_quic_too(httpbin: int) -> None:
    async with serving(small.mirrored(auth=ClientAuth.REQUIRED, port=httpbin)):
        answer = await asyncio.to_thread(visit, URL, ca_pem=CA_PEM)
        assert (answer.status, answer.close_code) == (0, CERTIFICATE_REQUIRED)


async def test_an_announcement_changes_without_a_word_about_listeners_and_routes(httpbin: int) -> None:
    model = small.mirrored(port=httpbin)
    async with serving(model) as served:
        before = served.stat("listener_manager.listener_modified")
        served.publish(model, "clear")

        def cleared() -> bool:
            return curl("h3", URL, ca_pem=CA_PEM).all("alt-svc") == ("clear",)

        await until(cleared)
        assert served.stat("listener_manager.listener_modified") == before
        served.publish(model, None)
        await until(lambda: curl("h2", URL, ca_pem=CA_PEM).all("alt-svc") == ())


async def test_an_announcement_that_does_not_come_holds_nothing_up(httpbin: int) -> None:
    async with serving(small.mirrored(port=httpbin), less=EXTENSION_CONFIGS):
        answer = await asyncio.to_thread(curl, "h2", URL, ca_pem=CA_PEM)
        assert (answer.status, answer.all("alt-svc")) == (200, ())


async def test_a_backend_whose_tls_cannot_be_set_up_gets_nothing_in_plaintext(httpbin: int) -> None:
    unusable = ClientTls(certificate=None, verification=None, unusable="there is no key")
    model = replace(
        small.mirrored(port=httpbin), backends=by_name((small.backend(port=httpbin, tls=unusable),))
    )
    async with serving(model):
        answer = await asyncio.to_thread(curl, "h2", URL, ca_pem=CA_PEM)
        assert answer.status == 503


async def test_another_server_joins_without_a_listener_being_closed(httpbin: int) -> None:
    async with serving(small.mirrored(port=httpbin)) as served:
        served.publish(small.mirrored(HOST, "second.test", port=httpbin))
        url = "https://second.test:8443/get"
        await until(lambda: curl("h3", url, ca_pem=CA_PEM, timeout=1).status == 200)
        assert served.stat("listener_manager.listener_in_place_updated") == 2
        assert served.stat("listener_manager.total_listeners_draining") == 0


async def test_a_mirror_that_loses_its_last_server_refuses_at_once_and_cuts_nobody(httpbin: int) -> None:
    model = small.mirrored(port=httpbin)
    tcp, quic = model.listeners
    async with serving(model) as served:
        live = asyncio.create_task(
            asyncio.to_thread(converse, HOST, 8443, [plain(HOST, "/delay/1")] * 2, ca_pem=CA_PEM)
        )
        await until(lambda: served.stat("listener.udp_127.0.0.1_8443.downstream_cx_active") == 1)
        served.publish(replace(model, listeners=(tcp, replace(quic, chains=()))))
        await until(lambda: served.stat("listener_manager.listener_in_place_updated") == 1)
        before = time.monotonic()
        refused = await asyncio.to_thread(visit, URL, ca_pem=CA_PEM)
        assert refused.close_code == HANDSHAKE_FAILURE
        assert time.monotonic() - before < 1
        assert [outcome.status for outcome in await live] == [200, 200]


async def test_a_request_that_outlasts_the_idle_time_is_answered(httpbin: int) -> None:
    """The client sends no pings: the gateway does."""
    model = small.mirrored(port=httpbin)
    tcp, quic = model.listeners
    short = QuicTransport(idle_timeout=timedelta(seconds=2), keepalive=timedelta(seconds=1))
    async with serving(replace(model, listeners=(tcp, replace(quic, quic=short)))):
        (outcome,) = await asyncio.to_thread(
            converse, HOST, 8443, [plain(HOST, "/delay/3")], ca_pem=CA_PEM, timeout=8
        )

    assert (outcome.status, outcome.closed) == (200, None)
