"""What can be set of QUIC, and that the page about it says all of that."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from mizzen.model.quic import QuicTransport
from mizzen.resources.mizzen.transport import TransportSettings

PAGE = (Path(__file__).parents[4] / "docs" / "tuning-http3.md").read_text()


def written(name):
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def shown(value):
    """A default as the page writes it."""
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return f"{int(value.total_seconds())}s"
        case None:
            return "-"
        case _:
            return str(value)


def test_each_field_has_a_default_or_says_nothing_by_itself():
    settings = {one.name for one in fields(TransportSettings)} - {"at"}

    assert settings == {one.name for one in fields(QuicTransport)}


def test_the_page_has_a_row_for_each_field_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))

    for one in fields(QuicTransport):
        assert rows.get(written(one.name)) == shown(getattr(QuicTransport(), one.name)), one.name
