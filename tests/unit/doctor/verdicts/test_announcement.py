"""alt-svc: there, right, and the same everywhere."""

import pytest

from mizzen.doctor.links import Link
from mizzen.doctor.measured import Names, ServiceRecord, Walk
from mizzen.doctor.verdicts.announcement import alt_svc
from tests.harness.small_walk import OTHER, answer, closed, healthy, no_visit, over_tcp, visit, without_quic


def said(text: str, nowhere: str | None = None, **more: object) -> Walk:
    """A walk on which `text` was announced."""
    missing = answer(404, alt_svc=text if nowhere is None else nowhere)
    return healthy(tcp=(over_tcp(page=answer(alt_svc=text), nowhere=missing),), **more)


def broken(walk: Walk) -> Link:
    link = alt_svc(walk)
    assert link.ok is False and link.remedy
    return link


def test_what_is_announced_is_told() -> None:
    link = alt_svc(healthy())
    assert link.ok and link.said == 'h3=":443"; ma=86400 on 200 and on 404' and link.remedy == ""


def test_without_an_answer_nothing_is_known() -> None:
    assert alt_svc(healthy(tcp=(closed(),))).ok is None


def test_clear_is_a_withdrawal() -> None:
    assert "says clear" in broken(said("clear")).said


def test_clear_over_http3_alone_takes_it_back_too() -> None:
    walk = healthy(quic=(visit(headers=(("alt-svc", "clear"),)),))
    assert "clear over HTTP/3" in broken(walk).said


def test_another_port_over_http3_is_broken() -> None:
    assert "444" in broken(healthy(quic=(visit(headers=(("alt-svc", 'h3=":444"'),)),))).said


def test_nothing_over_http3_is_fine() -> None:
    assert alt_svc(healthy(quic=(visit(headers=()),))).ok


def test_nothing_is_broken_and_told_with_what_is_served() -> None:
    assert "though it is served" in broken(said("")).said
    assert "mirror the server" in broken(without_quic(tcp=said("").tcp)).remedy


def test_old_drafts_are_not_h3() -> None:
    assert "names no h3" in broken(said('h3-29=":443"')).said


def test_a_record_may_tell_instead() -> None:
    names = Names(addresses=("192.0.2.1",), records=(ServiceRecord(priority=1, alpn=("h3",)),))
    link = alt_svc(said("", names=names))
    assert link.ok is None and "HTTPS records" in link.said


def test_a_port_where_nothing_is_served_while_the_urls_serves() -> None:
    walk = said('h3=":9999"', udp_port=9999, quic=(no_visit(),), url_quic=(visit(),))
    link = broken(walk)
    assert "UDP 9999, where nothing speaks QUIC; HTTP/3 is served at UDP 443" in link.said


def test_a_port_that_is_dead_beside_another_that_is_dead_is_no_matter_of_alt_svc() -> None:
    walk = without_quic(tcp=said('h3=":9999"').tcp, url_quic=(no_visit(),))
    assert alt_svc(walk).ok


def test_addresses_that_say_different_things() -> None:
    walk = healthy(tcp=(over_tcp(), over_tcp(OTHER, page=answer(alt_svc=""))))
    assert "[2001:db8::1]:443 says nothing" in broken(walk).said


@pytest.mark.parametrize("text", ["clear", 'h3=":444"'])
def test_a_404_that_says_something_else_is_broken(text: str) -> None:
    assert f"{text} on 404" in broken(said('h3=":443"', nowhere=text)).said


def test_a_404_that_says_nothing_could_do_better() -> None:
    link = alt_svc(said('h3=":443"', nowhere=""))
    assert link.ok and "none on 404" in link.said and link.remedy


def test_ages() -> None:
    assert "ma=0" in broken(said('h3=":443"; ma=0')).said
    young = alt_svc(said('h3=":443"; ma=5'))
    assert young.ok and "5 s only" in young.remedy
