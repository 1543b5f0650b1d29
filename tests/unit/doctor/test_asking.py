"""The client that is played."""

from mizzen.doctor.asking import MOST_BODY, Client, Options
from mizzen.doctor.measured import Where
from mizzen.doctor.target import parse
from mizzen.probe.client import Protocol

HERE = Where("127.0.0.1", 8443)
OPTIONS = Options(ca_pem="CA", certificate_pem="CERT", key_pem="KEY", max_time=3.0, connect_timeout=1.0)
CLIENT = Client(parse("https://shop.test/a"), OPTIONS)


def test_libcurl_asks_the_url_at_the_address() -> None:
    request = CLIENT.request(HERE, Protocol.H3)
    assert request.url == "https://shop.test/a"
    assert request.connect_to == "shop.test:443:127.0.0.1:8443"
    assert (request.ca_pem, request.client_cert_pem, request.client_key_pem) == ("CA", "CERT", "KEY")
    assert request.verify and request.max_body == MOST_BODY and request.timeout.total_seconds() == 3.0


def test_it_can_come_without_a_certificate() -> None:
    assert CLIENT.request(HERE, certificate=("", "")).client_cert_pem == ""
    assert CLIENT.plan(certificate=("", "")).certificate_pem == ""
    assert CLIENT.plan().certificate_pem == "CERT"


def test_a_visit_asks_the_same() -> None:
    plan = CLIENT.plan(padding=10, move=True)
    head = dict(plan.headers)
    assert (head[":authority"], head[":path"], head[":method"]) == ("shop.test", "/a", "GET")
    assert head["x-mizzen-doctor"] == "X" * 10
    assert plan.move and plan.sni == "shop.test" and plan.patience == 1.0
    assert dict(CLIENT.plan(path="/b", method="POST").headers)[":path"] == "/b"


def test_insecure_verifies_nothing() -> None:
    assert not Client(CLIENT.target, Options(insecure=True)).request(HERE).verify


def test_an_answer_may_take_as_long_as_over_tcp_and_some() -> None:
    assert CLIENT.plan().answer_patience == 3.0
    assert Client(CLIENT.target, OPTIONS, slowness=0.5).plan().answer_patience == 2.0
    assert Client(CLIENT.target, OPTIONS, slowness=9.0).plan().answer_patience == 3.0
