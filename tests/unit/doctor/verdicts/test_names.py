"""Addresses and HTTPS records against what is served."""

import pytest

from mizzen.doctor.measured import Names, Reply, ServiceRecord, Walk, Where
from mizzen.doctor.verdicts.names import dns, record_text
from tests.harness.small_walk import HERE, answer, healthy, no_visit, over_tcp, visit, without_quic

H3 = ServiceRecord(priority=1, alpn=("h3", "h2"))


def names(*records: ServiceRecord, **more: object) -> Names:
    return Names(addresses=(HERE.address,), seconds=0.003, query="shop.test", records=records, **more)  # type: ignore[arg-type]


def test_no_address_is_the_end() -> None:
    link = dns(healthy(names=Names(error="there is no such name")))
    assert link.ok is False and link.said == "shop.test has no address: there is no such name"


def test_addresses_without_a_record() -> None:
    link = dns(healthy())
    assert link.ok and link.said == "shop.test is 192.0.2.1 (3 ms); no HTTPS record at shop.test"
    assert link.remedy == ""


def test_addresses_that_are_too_many_are_counted() -> None:
    many = Names(addresses=("192.0.2.1", "192.0.2.2"), left_out=3, seconds=0.003)
    assert "192.0.2.2 and 3 more that were not looked at" in dns(healthy(names=many)).said


def test_addresses_that_were_given() -> None:
    link = dns(
        healthy(names=Names(addresses=("127.0.0.1",), is_given=True, query="shop.test", records_error="none"))
    )
    assert link.ok and link.said.startswith(
        "127.0.0.1, as --resolve or --connect-to says; HTTPS records could not"
    )


SILENT = {"tcp": (over_tcp(page=answer(alt_svc="")),)}
CLEAR = {"tcp": (over_tcp(page=answer(alt_svc="clear")),)}


@pytest.mark.parametrize(
    ("walk", "fault"),
    [
        (healthy(names=names(H3)), ""),
        (healthy(names=names(H3), **SILENT), ""),  # nobody but the record tells of it, and it is there
        (without_quic(names=names(H3)), ""),  # alt-svc says so too: it is the port that is broken
        (without_quic(names=names(H3), **SILENT), "nothing speaks QUIC on UDP 443"),
        (healthy(names=names(H3), **CLEAR), "alt-svc: clear"),
        (healthy(names=names(ServiceRecord(priority=1, alpn=("h3",), port=9999))), "leads to UDP 9999"),
        (
            healthy(
                names=names(ServiceRecord(priority=1, alpn=("h3",), port=9999)),
                udp_port=9999,
                quic=(no_visit(),),
                url_quic=(visit(),),
                **SILENT,
            ),
            "nothing speaks QUIC on UDP 9999",
        ),
        (healthy(names=names(ServiceRecord(priority=1, alpn=("h2",)))), ""),
    ],
)
def test_what_records_promise_is_there(walk: Walk, fault: str) -> None:
    link = dns(walk)
    assert link.ok is not bool(fault)
    assert fault in link.said


def test_a_hint_that_nobody_answers_at_is_stale() -> None:
    hint = Where("192.0.2.9", 443)
    stale = dns(healthy(names=names(H3, hints=((hint, Reply.SILENT),))))
    assert (
        stale.ok is False and "the hint 192.0.2.9:443 is silent, and is none of the addresses" in stale.said
    )
    assert dns(healthy(names=names(H3, hints=((hint, Reply.ANSWERED),)))).ok


def test_a_hint_of_a_family_that_this_machine_has_not_says_nothing() -> None:
    hint = Where("2001:db8::9", 443)
    assert dns(healthy(names=names(H3, hints=((hint, Reply.UNREACHABLE),)))).ok


def test_a_record_without_h3_could_do_better() -> None:
    link = dns(healthy(names=names(ServiceRecord(priority=1, alpn=("h2",)))))
    assert link.ok and "add h3" in link.remedy


def test_a_record_is_told_as_a_zone_file_has_it() -> None:
    record = ServiceRecord(priority=1, alpn=("h3", "h2"), port=8443, hints=("192.0.2.1", "::1"), ech=True)
    assert record_text(record) == "1 . alpn=h3,h2 port=8443 ipv4hint=192.0.2.1 ipv6hint=::1 ech=..."
