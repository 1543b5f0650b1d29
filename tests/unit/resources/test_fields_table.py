from mizzen.resources.fields_table import fields_table


def test_every_field_has_a_line_with_its_type_and_limits() -> None:
    lines = fields_table().splitlines()

    assert "## VirtualService (networking.istio.io/v1)" in lines
    assert "| `spec.http[].route[].destination.host` | text | required |" in lines
    assert "| `spec.http[].timeout` | duration |  |" in lines
    assert "| `spec.ports[].port` | integer, 1 to 65535 | required |" in lines
    assert "| `spec.http[].match[].headers.KEY.regex` | text | RE2, must match the whole text |" in lines
