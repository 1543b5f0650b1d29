"""HTTP3Policy as its author writes it."""

from dataclasses import fields

from mizzen.resources.kinds import KINDS, meant
from mizzen.resources.mizzen.http3_policy import SUBJECT, HTTP3PolicySpec


def test_it_is_of_our_own_group() -> None:
    assert KINDS["HTTP3Policy"].api_version == "mizzen.dev/v1alpha1"
    assert meant("HTTP3Policy", "mizzen.dev/v1alpha1") is KINDS["HTTP3Policy"]


def test_all_but_its_subject_may_be_left_to_others() -> None:
    chosen = [one for one in fields(HTTP3PolicySpec) if one.name not in SUBJECT]

    assert {one.name for one in fields(HTTP3PolicySpec)} >= SUBJECT
    assert chosen
    assert all(one.default is None for one in chosen)
