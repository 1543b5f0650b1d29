"""What can be set of shedding is what the model has."""

from dataclasses import fields
from pathlib import Path

from mizzen.model.shedding import Shedding
from mizzen.resources.mizzen.shedding import SheddingSettings


def test_each_field_becomes_something():
    assert {one.name for one in fields(SheddingSettings)} - {"at"} == {one.name for one in fields(Shedding)}


def test_the_page_has_a_row_for_each_field():
    page = (Path(__file__).parents[4] / "docs" / "tuning-http3.md").read_text()
    for one in fields(SheddingSettings):
        first, *others = one.name.split("_")
        assert one.name == "at" or f"\n| `{first}{''.join(map(str.capitalize, others))}` |" in page, one.name
