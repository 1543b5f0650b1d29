"""The walk where nothing answers; real hosts are walked in tests/e2e/test_doctor.py."""

import socket

from mizzen.doctor.asking import Options
from mizzen.doctor.measured import Reply
from mizzen.doctor.target import parse
from mizzen.doctor.verdicts import judge
from mizzen.doctor.walk import walk
from tests.harness.small_walk import NOW

OPTIONS = Options(connect_timeout=0.2, max_time=0.5, nameservers=("127.0.0.1:9",))


def test_a_port_where_nobody_listens_is_looked_at_over_both() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    seen = walk(parse(f"https://127.0.0.1:{port}/"), OPTIONS, NOW)
    assert [one.reply for one in seen.tcp] == [Reply.REFUSED] == [one.reply for one in seen.udp]
    assert seen.h3 is None and seen.mtu == () and seen.names.query == ""
    shown = judge(seen).to_json()
    assert shown["broken"] == "tcp" and [one["ok"] for one in shown["links"]].count(None) == 14


def test_a_name_that_nobody_has_is_the_end() -> None:
    seen = walk(parse("https://nobody.invalid/"), OPTIONS, NOW)
    assert seen.tcp == () and seen.names.error
    assert judge(seen).to_json()["broken"] == "dns"


def test_a_family_can_be_left_out() -> None:
    target = parse("https://shop.test/", resolve=("shop.test:443:127.0.0.1,::1",))
    seen = walk(target, Options(connect_timeout=0.2, family="6", nameservers=OPTIONS.nameservers), NOW)
    assert seen.names.addresses == ("::1",) and len(seen.tcp) == 1
