"""Records as a zone file: what users wrote stays in comments."""

from dataclasses import replace

import dns.zonefile
from hypothesis import given
from hypothesis import strategies as st

from mizzen.dns.justified import justified
from mizzen.dns.zone_file import remarks, zone_file
from tests.unit.dns.test_justified import BINDING, EAST


def test_a_line_feed_in_a_name_of_theirs_ends_no_comment() -> None:
    evil = replace(EAST, origin="a\nwww.evil.com. 60 IN HTTPS 1 .\n.yaml:1:1")
    text = zone_file(justified([evil]), is_proven=True)
    assert [line for line in text.splitlines() if not line.startswith(";")] == [
        'www.example.com. 60 IN HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1'
    ]


@given(
    hosts=st.lists(
        st.text() | st.from_regex(r"(\\*\\.)?[a-z0-9.-]{1,80}(\\.[a-z]{2,70})?", fullmatch=True), max_size=6
    ),
    port=st.sampled_from((443, 8443)),
    addresses=st.lists(st.ip_addresses().map(str), max_size=3),
)
def test_whatever_a_host_is_what_is_printed_is_a_zone_of_its_records(
    hosts: list[str], port: int, addresses: list[str]
) -> None:
    some = replace(BINDING, hosts=tuple(sorted(set(hosts))), port=port, addresses=tuple(addresses))
    found = justified([replace(EAST, binding=some)])
    text = zone_file(found, is_proven=True)
    read = dns.zonefile.read_rrsets(text, origin=".", rdclass=None, relativize=False)
    assert sum(map(len, read)) == len(found.listed)
    assert len(found.listed) + len(found.left_out) == len(set(hosts))


def test_the_first_line_says_whether_it_is_proven() -> None:
    found = justified([EAST])
    assert "announced now" in zone_file(found, is_proven=True).splitlines()[0]
    assert "once each HTTP/3 mirror has been proven" in zone_file(found, is_proven=False).splitlines()[0]


def test_remarks_are_comments_of_yaml() -> None:
    unknown = replace(
        EAST, binding=replace(BINDING, hosts=("*", "www.example.com"), addresses=(), unknown="why")
    )
    text = remarks(justified([unknown]), is_proven=True)
    assert all(line.startswith("# ") for line in text.splitlines())
    assert "www.example.com.: no address hints: why" in text and "every host" in text
