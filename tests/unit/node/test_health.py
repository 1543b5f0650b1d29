import socket
from http import HTTPStatus
from pathlib import Path

from mizzen.node.health import HealthServer, Readiness
from mizzen.node.http_server import answer
from mizzen.proxy.admin import Admin, ask
from mizzen.status import Word

OK = (HTTPStatus.OK, "ready")


def confirmed() -> Readiness:
    readiness = Readiness()
    readiness.on_start()
    readiness.hear(Word(synced=True), "LIVE")
    return readiness


def refused(why: str) -> tuple[HTTPStatus, str]:
    return (HTTPStatus.SERVICE_UNAVAILABLE, why)


def test_an_envoy_that_has_confirmed_its_configuration_is_ready() -> None:
    assert confirmed().verdict("LIVE") == OK


def test_before_that_the_reason_is_told() -> None:
    readiness = Readiness()
    readiness.on_start()
    assert readiness.verdict("LIVE") == refused("configuration not confirmed: Envoy has just been started")

    readiness.hear(Word(synced=False, reason="Envoy has not confirmed LDS 0.0.0.0_8443"), "LIVE")
    assert readiness.verdict("LIVE") == refused(
        "configuration not confirmed: Envoy has not confirmed LDS 0.0.0.0_8443"
    )

    readiness.hear(None, "LIVE")
    assert readiness.verdict("LIVE") == refused(
        "configuration not confirmed: the control plane does not know this gateway"
    )


def test_a_change_on_its_way_does_not_take_the_gateway_out() -> None:
    readiness = confirmed()
    readiness.hear(Word(synced=False, reason="Envoy has not confirmed RDS"), "LIVE")

    assert readiness.verdict("LIVE") == OK


def test_a_word_about_the_predecessor_does_not_count() -> None:
    readiness = confirmed()
    readiness.on_start()
    readiness.hear(Word(synced=True), "PRE_INITIALIZING")
    assert readiness.verdict("LIVE")[0] == 503

    readiness.hear(Word(synced=True), "LIVE")
    assert readiness.verdict("LIVE") == OK


def test_envoy_has_a_say_too() -> None:
    assert confirmed().verdict("INITIALIZING") == refused("Envoy is INITIALIZING")
    assert confirmed().verdict("") == refused("Envoy does not answer")


def test_who_shuts_down_is_not_ready_whatever_else_holds() -> None:
    readiness = confirmed()
    readiness.is_draining = True

    assert readiness.verdict("LIVE") == refused("the gateway is shutting down")


def test_an_answer_ends_its_connection() -> None:
    assert answer(HTTPStatus.OK, "ready") == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncache-control: no-store\r\n"
        b"content-length: 6\r\nconnection: close\r\n\r\nready\n"
    )
    assert answer(HTTPStatus.OK, "ready", "HEAD").endswith(b"\r\n\r\n")


async def test_the_socket_answers_only_the_health_check(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    with socket.socket(socket.AF_UNIX) as left_by_somebody_who_was_killed:
        left_by_somebody_who_was_killed.bind(str(path))
    server = HealthServer(path, confirmed(), Admin(tmp_path / "nobody"))
    await server.start()
    try:
        assert await ask(path, "/healthz/ready?x=1") == (503, b"Envoy does not answer\n")
        assert await ask(path, "/healthz/readyx") == (404, b"there is only /healthz/ready\n")
        assert (await ask(path, "/healthz/ready", method="POST"))[0] == 405
    finally:
        await server.stop()

    assert not path.exists()


def test_a_port_that_was_lost_between_two_envoys_is_not_ready_and_a_later_loss_does_not_take_the_gateway_out() -> (
    None
):
    why = "TCP 0.0.0.0:8443 cannot be opened: it is in use by pid 7 (nginx)"
    readiness = Readiness()
    readiness.on_start()
    readiness.hear(Word(synced=True, lost=why), "LIVE")
    assert readiness.verdict("LIVE") == refused(why)

    readiness.hear(Word(synced=True, lost=""), "LIVE")
    assert readiness.verdict("LIVE") == OK

    readiness.hear(Word(synced=True, lost=why), "LIVE")
    assert readiness.verdict("LIVE") == OK
