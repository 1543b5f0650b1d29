"""The block `announcement` as its author writes it."""

from dataclasses import fields
from datetime import timedelta

from mizzen.model.announcement import Rollout
from mizzen.proxy.bootstrap import DRAIN_SECONDS
from mizzen.resources.mizzen.announcement import AnnouncementSettings, AnnouncementStepBack


def test_what_nobody_says_is_told_apart_from_what_somebody_does() -> None:
    assert {one.default for one in fields(AnnouncementStepBack)} == {None, ""}
    assert {one.default for one in fields(AnnouncementSettings)} == {None, "", ()}


def test_a_drain_that_nobody_says_is_that_of_our_envoys() -> None:
    assert Rollout().drain == timedelta(seconds=DRAIN_SECONDS)
