"""Mirrors that clients remember are served on where they may be; where they may not, they refuse at once."""

from mizzen.http3.lingering import NOTHING_LINGERS, NOWHERE, Lingering, Standing
from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.persistent import PersistentMap
from mizzen.pipeline import Memory, Settings, build
from mizzen.resources.raw_objects import parse_documents
from tests.unit.plane.harness import GATEWAY, https, server

UDP = "udp_0.0.0.0_8443"
OFF = {"PILOT_ENABLE_QUIC_LISTENERS": "false"}
HERE = Standing(remembered=frozenset({UDP}), open=frozenset({UDP}))
LINGERS = NOTHING_LINGERS.changed({server("shop"): (NOWHERE, HERE)})
DRAINS = NOTHING_LINGERS.changed({server("shop"): (NOWHERE, Standing(open=HERE.open))})


def model(
    text: str, lingering: Lingering = LINGERS, memory: Memory | None = None, **environment: str
) -> Model:
    objects, problems = parse_documents(text, "in.yaml")
    assert not problems
    settings = Settings(environment=environment, lingering={GATEWAY: lingering})
    (gateway,) = build(objects, (), settings, memory).gateways
    return gateway.model


def quic(made: Model) -> Listener | None:
    (*found,) = (one for one in made.listeners if one.transport is Transport.QUIC)
    assert len(found) <= 1
    return found[0] if found else None


def test_a_mirror_that_is_switched_off_is_served_on_as_it_was() -> None:
    before, after = model(https("shop")), model(https("shop"), **OFF)
    assert quic(after) == quic(before)
    (announcement,) = after.announcements
    assert announcement.port is None
    (mirror,) = after.mirrors
    assert (mirror.quic_listener, mirror.reason) == (
        UDP,
        "HTTP/3 is switched off (PILOT_ENABLE_QUIC_LISTENERS)",
    )


def test_when_all_have_forgotten_it_its_listener_refuses_until_it_is_drained() -> None:
    drained = quic(model(https("shop"), DRAINS, **OFF))
    assert drained is not None
    assert drained.chains == ()
    before = quic(model(https("shop")))
    assert before is not None
    assert (drained.address, drained.port, drained.also) == (before.address, before.port, before.also)
    assert quic(model(https("shop"), NOTHING_LINGERS, **OFF)) is None


def test_of_a_server_that_is_gone_only_the_listener_stays() -> None:
    other = (
        https("other", port=80)
        .replace("HTTPS}", "HTTP}")
        .replace("tls: {mode: SIMPLE, credentialName: other-tls}", "")
    )
    gone = quic(model(other))
    assert gone is not None
    assert gone.chains == ()


def test_a_mirror_that_would_be_weaker_is_not_served_on() -> None:
    weaker = https("shop").replace("mode: SIMPLE,", "mode: SIMPLE, maxProtocolVersion: TLSV1_2,")
    for environment in ({}, OFF):
        found = quic(model(weaker, **environment))
        assert found is not None
        assert found.chains == ()


def test_a_server_that_ends_tls_no_more_has_no_chain() -> None:
    passed_on = https("shop").replace("mode: SIMPLE, credentialName: shop-tls", "mode: PASSTHROUGH")
    found = quic(model(passed_on))
    assert found is not None
    assert found.chains == ()


def test_another_server_of_the_listener_is_served_beside_it() -> None:
    found = quic(model(https("other")))
    assert found is not None
    assert [chain.server_names for chain in found.chains] == [("other.test",)]


def test_what_is_remembered_of_a_build_follows_what_lingers() -> None:
    memory = Memory()
    for lingering in (LINGERS, NOTHING_LINGERS, LINGERS, DRAINS, LINGERS):
        kept = model(https("shop"), lingering, memory, **OFF)
        assert kept == model(https("shop"), lingering, **OFF)


def test_what_is_remembered_of_other_servers_and_is_no_address_changes_nothing() -> None:
    odd = Lingering(remembered=PersistentMap({"alt-svc/else": frozenset({UDP})}), open={"udp_x": 1, "tcp": 1})
    assert quic(model(https("shop"), odd, **OFF)) is None
