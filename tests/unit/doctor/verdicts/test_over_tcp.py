"""Connection, TLS, ALPN and the answer over TCP."""

from mizzen.doctor.links import Name
from mizzen.doctor.measured import Handshake, Names, Parity, Reply, ServiceRecord
from mizzen.doctor.verdicts import judge
from mizzen.doctor.verdicts import over_tcp as verdicts
from tests.harness.small_walk import (
    HERE,
    OTHER,
    answer,
    closed,
    failed,
    healthy,
    over_tcp,
    visit,
    without_quic,
)

CLOSED = healthy(tcp=(closed(),))
NO_TLS = healthy(tcp=(over_tcp(handshake=Handshake(error="wrong version number"), page=failed(35, "x")),))
SHY = healthy(tcp=(over_tcp(page=failed(56, "alert certificate required"), asks=True),))


def test_each_address_is_told() -> None:
    link = verdicts.tcp(healthy(tcp=(over_tcp(), over_tcp(OTHER))))
    assert link.ok and link.said == "192.0.2.1:443 in 2 ms, [2001:db8::1]:443 in 2 ms"


def test_one_closed_address_of_two_is_broken() -> None:
    link = verdicts.tcp(healthy(tcp=(over_tcp(), closed(OTHER))))
    assert link.ok is False
    assert link.said == "[2001:db8::1]:443 refuses (nobody listens there), 192.0.2.1:443 in 2 ms is fine"


def test_a_machine_without_ipv6_says_nothing_of_the_host() -> None:
    link = verdicts.tcp(healthy(tcp=(over_tcp(), closed(OTHER, Reply.UNREACHABLE))))
    assert link.ok and "cannot be reached from here" in link.said


def test_where_nothing_can_be_reached_nothing_works() -> None:
    link = verdicts.tcp(healthy(tcp=(closed(OTHER, Reply.UNREACHABLE),)))
    assert link.ok is False and "a route" in link.remedy


def test_silence_and_refusal_have_remedies_of_their_own() -> None:
    silent = verdicts.tcp(healthy(tcp=(closed(HERE, Reply.SILENT),)))
    assert "firewall" in silent.remedy and "nothing listens" in verdicts.tcp(CLOSED).remedy


def test_what_stands_on_tcp_is_not_looked_at_without_it() -> None:
    for verdict in (verdicts.tls, verdicts.alpn, verdicts.http):
        assert verdict(CLOSED).ok is None


def test_a_handshake_is_told() -> None:
    assert verdicts.tls(healthy()).said == "192.0.2.1:443 TLSv1.3, TLS_AES_128_GCM_SHA256, 4 ms"


def test_what_is_no_tls_is_told() -> None:
    link = verdicts.tls(NO_TLS)
    assert (
        link.ok is False and "wrong version number" in link.said and "something else than TLS" in link.remedy
    )
    assert verdicts.alpn(NO_TLS).ok is None and verdicts.http(NO_TLS).ok is None


def test_an_unknown_name_is_told() -> None:
    walk = healthy(
        tcp=(over_tcp(handshake=Handshake(error="it closed the connection"), page=failed(35, "x")),)
    )
    assert "among its hosts" in verdicts.tls(walk).remedy


def test_alpn() -> None:
    assert verdicts.alpn(healthy()).said == "h2 of h2 and http/1.1"
    old = verdicts.alpn(healthy(tcp=(over_tcp(handshake=Handshake(version="TLSv1.2")),)))
    assert old.ok and "takes none" in old.said and old.remedy


def test_an_answer_is_told() -> None:
    assert verdicts.http(healthy()).said == "192.0.2.1:443 HTTP/2 200 in 4 ms, 5 bytes"
    assert verdicts.http(healthy(tcp=(over_tcp(page=answer(404)),))).ok


def test_a_backend_that_fails_is_broken() -> None:
    link = verdicts.http(healthy(tcp=(over_tcp(page=answer(503)),)))
    assert link.ok is False and "backend" in link.remedy


def test_an_answer_that_does_not_come_is_broken() -> None:
    link = verdicts.http(healthy(tcp=(over_tcp(page=failed(28, "timed out")),)))
    assert link.ok is False and "timed out" in link.said and "in time" in link.remedy


def test_who_has_no_certificate_cannot_look() -> None:
    link = verdicts.http(SHY)
    assert link.ok is None and "--cert" in link.said
    assert "--cert" in verdicts.no_page(SHY) and verdicts.no_page(healthy()) == ""


def test_a_certificate_that_is_refused_is_told() -> None:
    walk = healthy(tcp=SHY.tcp, has_certificate=True)
    link = verdicts.http(walk)
    assert link.ok is False and "does not take this client certificate" in link.remedy


def test_a_server_may_have_http3_alone() -> None:
    alone = Names(
        addresses=("192.0.2.1",), records=(ServiceRecord(priority=1, alpn=("h3",), no_default_alpn=True),)
    )
    walk = healthy(tcp=(closed(),), names=alone)
    assert verdicts.tcp(walk).ok is None and "HTTP/3 alone" in verdicts.tcp(walk).said
    assert judge(walk).healthy
    assert verdicts.tcp(without_quic(tcp=(closed(),), names=alone)).ok is False


def test_tcp_can_be_left_out() -> None:
    walk = healthy(tcp=(), http3_only=True, parity=Parity(quic=visit()))
    assert judge(walk).healthy
    for link in judge(walk).links:
        assert link.ok or "--http3-only" in link.said or link.link is Name.CLIENT_CERTIFICATE
