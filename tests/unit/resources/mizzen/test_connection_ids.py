"""The lengths that a policy may ask for are those that an Envoy has an id of."""

from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from mizzen.http3.server_ids import LONGEST
from mizzen.resources.declaring.declare import Range
from mizzen.resources.mizzen.connection_ids import MOST_BYTES, ConnectionIdSettings


def ranges():
    hints = get_type_hints(ConnectionIdSettings, include_extras=True)
    found = {one.name: get_args(hints[one.name]) for one in fields(ConnectionIdSettings)}
    return {name: note for name, notes in found.items() for note in notes if isinstance(note, Range)}


def test_the_longest_id_leaves_room_for_the_shortest_nonce():
    limits = ranges()

    assert limits["server_id_length"].high == LONGEST
    assert limits["server_id_length"].high + limits["nonce_length"].low == MOST_BYTES


def test_the_page_has_a_row_for_each_field():
    page = (Path(__file__).parents[4] / "docs" / "tuning-http3.md").read_text()
    for one in fields(ConnectionIdSettings):
        first, *others = one.name.split("_")
        assert one.name == "at" or f"\n| `{first}{''.join(map(str.capitalize, others))}` |" in page, one.name
