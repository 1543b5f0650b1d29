"""Reports, and what an operator knows beside what a client saw."""

from mizzen.doctor.links import Finding, Link, Name, Report, merged, ordered

UDP = Link(Name.UDP, False, "127.0.0.1:443 is silent", "open UDP 443")


def test_a_report_has_every_link_in_order() -> None:
    report = ordered("https://shop.test", [UDP, Link(Name.DNS, True, "127.0.0.1")])
    assert [one["link"] for one in report.to_json()["links"]] == [
        *(
            "dns",
            "tcp",
            "tls",
            "certificate",
            "alpn",
            "http",
            "alt-svc",
            "udp",
            "quic",
            "quic-certificate",
            "h3",
        ),
        *("answers", "client-certificate", "resumption", "early-data", "migration", "mtu"),
    ]
    assert report.links[1] == Link(Name.TCP, None, "not looked at")


def test_the_first_broken_link_is_named() -> None:
    report = ordered("https://shop.test", [Link(Name.QUIC, False, "no handshake"), UDP])
    shown = report.to_json()
    assert (shown["url"], shown["healthy"], shown["broken"]) == ("https://shop.test", False, "udp")
    assert shown["links"][7] == {
        "link": "udp",
        "ok": False,
        "said": "127.0.0.1:443 is silent",
        "remedy": "open UDP 443",
    }


def test_what_was_not_looked_at_is_not_broken() -> None:
    report = ordered("https://shop.test", [Link(Name.UDP, True, "answered")])
    assert report.healthy and report.to_json()["broken"] is None


def test_a_cause_stands_before_what_was_seen_of_it() -> None:
    cause = Finding(Name.UDP, False, "the Service shop has no UDP port", "add one")
    fine = Finding(Name.UDP, True, "the listener is there")
    link = merged(Report("", (UDP,)), [fine, cause]).links[0]
    assert link == Link(
        Name.UDP,
        False,
        "the Service shop has no UDP port; 127.0.0.1:443 is silent; the listener is there",
        "add one",
    )


def test_a_cause_breaks_a_link_that_this_client_found_whole() -> None:
    report = merged(
        ordered("u", [Link(Name.UDP, True, "answered")]), [Finding(Name.UDP, False, "closed outside", "x")]
    )
    assert report.broken == Link(Name.UDP, False, "closed outside; answered", "x")


def test_a_note_breaks_nothing() -> None:
    note = Finding(Name.MTU, None, "net.core.rmem_max is 212992", "raise it")
    link = merged(Report("", (Link(Name.MTU, True, "1452 pass"),)), [note]).links[0]
    assert link == Link(Name.MTU, True, "1452 pass; net.core.rmem_max is 212992", "raise it")


def test_what_is_fine_vouches_for_what_was_not_looked_at() -> None:
    known = Finding(Name.DNS, True, "the records are as published")
    link = merged(Report("", (Link(Name.DNS, None, ""),)), [known]).links[0]
    assert link == Link(Name.DNS, True, "the records are as published")


def test_what_is_meant_is_not_broken() -> None:
    closed = Report("", (Link(Name.TCP, False, "127.0.0.1:443 refuses", "start it"),))
    meant = Finding(Name.TCP, None, "HTTP/3 alone, as the annotation says", meant=True)
    assert merged(closed, [meant]).links[0] == Link(
        Name.TCP, None, "127.0.0.1:443 refuses; HTTP/3 alone, as the annotation says"
    )
    cause = Finding(Name.TCP, False, "the port is in use", "end it")
    assert merged(closed, [meant, cause]).links[0].ok is False
