"""What is written into webhooks."""

from typing import Any

from mizzen.cluster.leader_tasks import is_lenient, strict, trusting


def configuration(*names: str, kind: str = "ValidatingWebhookConfiguration", **more: Any) -> dict[str, Any]:
    hooks = [{"name": name, "clientConfig": {"service": {"name": "istiod"}}, **more} for name in names]
    return {"kind": kind, "metadata": {"name": "a", "resourceVersion": "7"}, "webhooks": hooks}


OURS = ("rev.validation.istio.io", "validation.istio.io")


def test_our_webhooks_get_the_trust_and_others_stay_as_they_are() -> None:
    patch = trusting(configuration("namespace.sidecar-injector.istio.io", "other.example.org"), "Q0E=")
    assert patch is not None
    ours, other = patch["webhooks"]
    assert ours["clientConfig"]["caBundle"] == "Q0E="
    assert "caBundle" not in other["clientConfig"]
    assert patch["metadata"]["resourceVersion"] == "7"  # who wrote meanwhile is not overwritten


def test_what_is_trusted_already_is_not_written() -> None:
    first = trusting(configuration(*OURS), "Q0E=")
    assert first is not None
    assert trusting({**configuration(*OURS), "webhooks": first["webhooks"]}, "Q0E=") is None


def test_validation_becomes_strict_once_and_injection_is_not_touched() -> None:
    lenient = configuration(*OURS, failurePolicy="Ignore")
    assert is_lenient(lenient)
    made = strict(lenient)
    assert {one["failurePolicy"] for one in made["webhooks"]} == {"Fail"}
    assert not is_lenient({**lenient, "webhooks": made["webhooks"]})
    injector = configuration(
        "object.sidecar-injector.istio.io", kind="MutatingWebhookConfiguration", failurePolicy="Ignore"
    )
    assert not is_lenient(injector)
