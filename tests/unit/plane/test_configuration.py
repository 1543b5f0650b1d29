import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mizzen.errors import ResourceRef
from mizzen.http3.announcement import Phase, State
from mizzen.http3.server import Server
from mizzen.pipeline import Settings
from mizzen.plane.build_result import Made
from mizzen.plane.configuration import from_json, told
from mizzen.resolve.context import ByService, FileFolders, UnixFolders
from mizzen.resources.decode import decode
from tests.golden import built, parsed
from tests.harness.plans import SITE, text

AT = datetime(2026, 1, 2, tzinfo=UTC)
SETTINGS = Settings(
    environment={
        "PILOT_HTTP10": "1",
        "MIZZEN_SCOPED_ROUTES": "always",
        "AWS_SECRET_ACCESS_KEY": "no",
        "HOME": "/",
    },
    external_ports=((443, 8443),),
    default_namespace="shop",
    sidecars=frozenset({"a/b"}),
    unix_folders=UnixFolders(allowed=("/run/a",), closed=("/run/m",)),
    certificate_folders=FileFolders(allowed=("/etc/a",)),
    families="both",
)


def made(settings: Settings = SETTINGS) -> Made:
    objects, _ = parsed(text(SITE))
    result = built(text(SITE), settings)
    return Made(
        number=1, result=result, gateways={}, objects=objects, lost=(), is_sound=True, settings=settings
    )


def through_json(
    one: Made, aside: frozenset[str] = frozenset(), registered: frozenset[str] = frozenset()
) -> Any:
    state = State(phase=Phase.ANNOUNCED, promised_until=AT)
    promises = {("g.n", "alt-svc/a"): Server(port=443, states={443: state}), ("g.n", "alt-svc/b"): Server()}
    return json.loads(json.dumps(told(one, promises, aside, registered, is_local=True)()))


def test_what_is_served_is_the_same_again() -> None:
    one = made()
    again = from_json(through_json(one))

    assert [(raw.ref, raw.data) for raw in again.objects] == [(raw.ref, raw.data) for raw in one.objects]
    assert str(again.objects[1].ref.place("data")) == "site.yaml:11:1"  # where the object begins
    assert again.remembered == {("g.n", "alt-svc/a"): AT}
    assert (again.registered, again.is_local) == ((), True)


def test_settings_go_along_and_of_the_environment_only_switches() -> None:
    settings = from_json(through_json(made())).settings

    assert settings.environment == {"PILOT_HTTP10": "1", "MIZZEN_SCOPED_ROUTES": "always"}
    assert settings.external_ports == ((443, 8443),)
    assert (settings.default_namespace, settings.sidecars, settings.families) == (
        "shop",
        frozenset({"a/b"}),
        "both",
    )
    assert (settings.unix_folders, settings.certificate_folders) == (
        SETTINGS.unix_folders,
        SETTINGS.certificate_folders,
    )


def test_ports_by_service_are_a_word() -> None:
    settings = Settings(external_ports=ByService.SERVICE, routers=frozenset({"n/pod"}))
    again = from_json(through_json(made(settings))).settings

    assert (again.external_ports, again.routers) == (ByService.SERVICE, frozenset({"n/pod"}))


def test_what_is_set_aside_takes_no_part_and_who_joined_is_known() -> None:
    one = made()
    first, second, *_ = one.objects
    again = from_json(through_json(one, frozenset({first.digest}), frozenset({second.digest})))

    assert decode(again.objects[0]).resource is None
    assert [raw.ref for raw in again.registered] == [
        ResourceRef(kind="Secret", namespace="istio-system", name="web")
    ]


@pytest.mark.parametrize("without", ["objects", "settings", "remembered", "scoped"])
def test_what_another_version_says_is_no_traceback(without: str) -> None:
    value = through_json(made())
    del value[without]
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        from_json(value)
