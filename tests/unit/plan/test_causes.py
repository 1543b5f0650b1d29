import pytest

from mizzen.plan import causes
from mizzen.plan.effects import Plan
from tests.harness.plans import SITE, planned


def because(plan: Plan, effect: str) -> list[str]:
    return sorted(
        {
            f"{cause.resource} {cause.field} {cause.origin}"
            for one in plan.changes
            if one.effect.value == effect
            for cause in one.because
        }
    )


def test_the_field_that_does_it_is_told_and_not_its_neighbours() -> None:
    new = SITE.replace("mode: SIMPLE", "mode: SIMPLE, minProtocolVersion: TLSV1_3").replace(
        "selector: {istio: ingressgateway}", "selector: {app: istio-ingressgateway}"
    )

    assert because(planned(SITE, new), "reconnects") == [
        "Gateway/istio-system/web spec.servers[0].tls.minProtocolVersion new.yaml:9:25"
    ]


def test_what_came_and_went_as_a_whole_is_told_where_it_is_or_was_written() -> None:
    routes = SITE.split("---\n")[2]

    assert (
        because(planned(SITE, SITE.replace(routes, routes.replace("name: web", "name: other"), 1)), "none")
        == []
    )
    assert because(planned(SITE, SITE.replace(routes + "---\n", "")), "unserved") == [
        "VirtualService/istio-system/web  old.yaml:17:1"
    ]


def test_what_is_enough_alone_is_told_and_not_what_would_only_have_been_milder() -> None:
    gone = SITE.split("---\n")
    without = "---\n".join([gone[1], gone[3]])  # neither Gateway nor VirtualService

    assert because(planned(SITE, without), "unserved") == ["Gateway/istio-system/web  old.yaml:1:1"]


def test_a_field_that_is_wrong_alone_is_told_with_the_others() -> None:
    """Each of them put back alone gives an object with an error."""
    new = SITE.replace(
        "{number: 443, name: https, protocol: HTTPS}", "{number: 443, name: tls, protocol: TLS}"
    ).replace("tls: {mode: SIMPLE, credentialName: web}", "tls: {mode: PASSTHROUGH}")

    told = because(planned(SITE, new), "unserved")

    assert "Gateway/istio-system/web spec.servers[0].port.protocol new.yaml:7:36" in told


@pytest.mark.parametrize("most", [0, causes.MOST_OBJECTS])
def test_who_wrote_it_says_the_same_as_trying(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(causes, "MOST_OBJECTS", most)
    new = SITE.replace("mode: SIMPLE", "mode: SIMPLE, minProtocolVersion: TLSV1_3").replace(
        "192.0.2.1", "192.0.2.2"
    )
    plan = planned(SITE, new)

    assert because(plan, "reconnects") == [
        "Gateway/istio-system/web spec.servers[0].tls.minProtocolVersion new.yaml:9:25"
    ]
    assert because(plan, "endpoints") == [
        "ServiceEntry/istio-system/web spec.endpoints[0].address new.yaml:32:16"
    ]
