"""What DNS may say of a server, and for how long it is believed."""

from datetime import timedelta

from mizzen.errors import ResourceRef
from mizzen.model.dns import Binding, Keeper, TsigKey

POLICY = ResourceRef(kind="HTTP3Policy", namespace="shop", name="web")


def binding(keeper: Keeper | None, ttl: int = 30) -> Binding:
    return Binding(hosts=("a.example",), port=443, alpn=("h3",), ttl=timedelta(seconds=ttl), keeper=keeper)


def test_records_that_nobody_keeps_are_waited_for_by_nobody() -> None:
    assert binding(None).listed_for is None


def test_what_is_taken_away_is_believed_in_for_its_ttl_and_until_it_is_gone() -> None:
    kept = Keeper(policy=POLICY, owner="me", server="192.0.2.53", zone="example.")
    found, by_external_dns = binding(kept).listed_for, binding(Keeper(policy=POLICY, owner="me")).listed_for
    assert found is not None and by_external_dns is not None
    assert timedelta(seconds=30) < found < by_external_dns


def test_no_key_is_shown() -> None:
    key = TsigKey(name="k", algorithm="hmac-sha256", secret="c2VjcmV0")
    assert "c2VjcmV0" not in repr(binding(Keeper(policy=POLICY, owner="me", server="192.0.2.53", key=key)))
