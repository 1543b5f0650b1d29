"""A name server is asked and told: against a real BIND, and against what is none."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mizzen.dns.record import Record
from mizzen.dns.registry import word
from mizzen.plane.name_server import NameServer, Outcome, Unanswered, canonical
from tests.harness.bind import KEY, Bind, bind, needs_bind

pytestmark = [needs_bind, pytest.mark.asyncio(loop_scope="module")]

ZONE = "example.com."
OURS = "shop/web"
RECORDS = """
www A 192.0.2.1
*.wild A 192.0.2.1
alias CNAME www
theirs A 192.0.2.1
theirs HTTPS 1 . alpn=h2
other A 192.0.2.1
other HTTPS 1 . alpn=h2
_mizzen.other TXT "heritage=mizzen,owner=somebody"
"""


def record(host: str = "www", **others: object) -> Record:
    said = {"alpn": ("h3", "h2"), "ipv4hint": ("192.0.2.1",), "ttl": 60} | others
    return Record(name=f"{host}.{ZONE}", **said)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with bind(tmp_path_factory.mktemp("bind"), RECORDS) as one:
        yield one


def at(server: Bind, key: object = KEY) -> NameServer:
    return NameServer(address="127.0.0.1", port=server.port, key=key)  # type: ignore[arg-type]


async def write(name_server: NameServer, *records: Record) -> Outcome:
    return await name_server.write(ZONE, records[0].name, records, OURS)


async def said(name_server: NameServer, name: str, kind: str = "HTTPS") -> tuple[str, ...]:
    return (await name_server.said([name], kind))[name]


async def test_records_are_written_replaced_and_removed_with_their_registration(server: Bind) -> None:
    one, name = at(server), f"www.{ZONE}"
    assert await write(one, record()) is Outcome.WRITTEN
    assert await said(one, name) == (canonical(record()),)
    assert await said(one, f"_mizzen.{name}", "TXT") == (f'"{word(OURS)}"',)
    assert await one.owner(name) == OURS
    both = (record(ipv4hint=("192.0.2.2",)), record(ipv4hint=("192.0.2.3",)))
    assert await write(one, *both) is Outcome.WRITTEN
    assert await said(one, name) == tuple(map(canonical, both))
    assert await one.remove(ZONE, name, OURS) is Outcome.REMOVED
    assert await said(one, name) == () and await said(one, f"_mizzen.{name}", "TXT") == ()
    assert await said(one, name, "A") == ("192.0.2.1",)
    assert await one.remove(ZONE, name, OURS) is Outcome.ABSENT


async def test_a_record_below_a_port_needs_its_host(server: Bind) -> None:
    one, below = at(server), replace(record(port=8443), name=f"_8443._https.www.{ZONE}")
    assert await one.write(ZONE, f"www.{ZONE}", [below], OURS) is Outcome.WRITTEN
    assert await one.remove(ZONE, below.name, OURS) is Outcome.REMOVED


async def test_a_wildcard_is_registered_below_a_name_of_its_own(server: Bind) -> None:
    one, name = at(server), f"*.wild.{ZONE}"
    assert await write(one, record("*.wild")) is Outcome.WRITTEN
    assert await said(one, f"any.wild.{ZONE}") == (canonical(record("*.wild")),)
    assert await one.remove(ZONE, name, OURS) is Outcome.REMOVED


@pytest.mark.parametrize(
    ("host", "outcome"),
    [
        ("theirs", Outcome.OTHERS),
        ("other", Outcome.OTHERS),
        ("alias", Outcome.ALIAS),
        ("nobody", Outcome.NO_NAME),
        ("below.wild", Outcome.NO_NAME),  # it would hide the wildcard's address
    ],
)
async def test_what_is_not_ours_stays_as_it_is(server: Bind, host: str, outcome: Outcome) -> None:
    one, name = at(server), f"{host}.{ZONE}"
    before = await said(one, name), await said(one, name, "A"), await said(one, f"_mizzen.{name}", "TXT")
    assert await write(one, record(host)) is outcome
    assert await one.remove(ZONE, name, OURS) is Outcome.ABSENT
    assert (
        await said(one, name),
        await said(one, name, "A"),
        await said(one, f"_mizzen.{name}", "TXT"),
    ) == before


async def test_who_has_registered_a_record_is_known(server: Bind) -> None:
    assert await at(server).owner(f"other.{ZONE}") == "somebody"
    assert await at(server).owner(f"theirs.{ZONE}") == ""


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (replace(KEY, name="nobody"), "does not know the key nobody"),
        (replace(KEY, secret="b3RoZXIgc2VjcmV0"), "with another secret"),
        (replace(KEY, name="powerless"), "does not let the key powerless change example.com."),
        (None, "does not let anybody without a key change example.com."),
    ],
)
async def test_a_wrong_key_is_told(server: Bind, key: object, why: str) -> None:
    with pytest.raises(Unanswered, match=why):
        await write(at(server, key), record())
    assert KEY.secret not in str(at(server, key)) + repr(at(server, key))


async def test_a_server_of_another_zone_says_so(server: Bind) -> None:
    other = Record(name="www.example.org.", ttl=60, alpn=("h3",))
    with pytest.raises(Unanswered, match=r"is not the primary of example\.org\."):
        await at(server).write("example.org.", other.name, [other], OURS)


async def test_nobody_there_is_told() -> None:
    with pytest.raises(Unanswered, match="cannot be reached: connection refused"):
        await write(NameServer(address="127.0.0.1", port=1, key=KEY), record())


async def test_what_is_no_name_server_is_told() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x05hello")
        writer.close()

    listening = await asyncio.start_server(rude, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    with pytest.raises(Unanswered, match="no answer of DNS that can be used"):
        await write(NameServer(address="127.0.0.1", port=port, key=KEY), record())
    listening.close()


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("169.254.169.254", 53, "link-local"),
        ("::ffff:169.254.169.254", 53, "link-local"),
        ("0.0.0.0", 53, "nobody's"),
        ("127.0.0.1", 15000, "one of mizzen's own"),
    ],
)
async def test_who_names_a_server_does_not_get_at_what_is_ours(address: str, port: int, why: str) -> None:
    guarded = NameServer(address=address, port=port, key=KEY, is_guarded=True)
    with pytest.raises(Unanswered, match=why):
        await write(guarded, record())
