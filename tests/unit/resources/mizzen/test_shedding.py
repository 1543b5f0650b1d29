"""What can be set of shedding is what the model has."""

from dataclasses import fields

from mizzen.model.shedding import Shedding
from mizzen.resources.mizzen.shedding import SheddingSettings


def test_each_field_becomes_something():
    assert {one.name for one in fields(SheddingSettings)} - {"at"} == {one.name for one in fields(Shedding)}
