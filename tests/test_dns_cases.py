"""Each folder of tests/cases/dns: its YAML gives exactly its dns.zone, which dnspython reads as it is meant.

`--golden` writes them anew. That BIND loads them: tests/e2e/test_dns.py.
"""

import dns.rdatatype
import dns.zonefile
import pytest

from mizzen.cli.dns import served_of
from mizzen.dns.justified import Justified, justified
from mizzen.dns.nsupdate import nsupdate
from mizzen.dns.zone_file import zone_file
from tests.golden import Case, cases

CASES = [case for case in cases() if case.folder.parent.name == "dns"]


def found(case: Case) -> Justified:
    return justified(served_of(case.build()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_its_records(case: Case, request: pytest.FixtureRequest) -> None:
    text, file = zone_file(found(case), is_proven=False), case.folder / "dns.zone"
    if request.config.getoption("--golden"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_printed_is_read_as_it_is_meant(case: Case) -> None:
    justify = found(case)
    read = dns.zonefile.read_rrsets(
        zone_file(justify, is_proven=False), origin=".", rdclass=None, relativize=False
    )
    read_back = {(str(one.name), one.ttl, rdata.to_text().replace('"', "")) for one in read for rdata in one}
    assert all(one.rdtype == dns.rdatatype.HTTPS for one in read)
    assert read_back == {
        (one.record.name, one.record.ttl, one.record.rdata.replace('"', "")) for one in justify.listed
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_order_of_files_and_gateways_changes_nothing(case: Case) -> None:
    served = list(served_of(case.build()))
    assert justified(reversed(served)) == justified(served)


def test_commands_touch_only_what_is_registered() -> None:
    case = next(case for case in CASES if case.folder.name == "a-record-for-each-host-that-has-http3")
    text = nsupdate(found(case), owner="shop", is_proven=False, zone="example.com.")
    requests = text.split("send\n")[:-1]
    removing, writing = requests[::2], requests[1::2]
    assert len(removing) == len(writing) == 2
    assert all("prereq yxrrset _mizzen." in one and '"heritage=mizzen,owner=shop"' in one for one in removing)
    assert all(one.count("prereq nxrrset") == 3 and "prereq yxdomain" in one for one in writing)
    assert all("zone example.com." in one for one in requests)
