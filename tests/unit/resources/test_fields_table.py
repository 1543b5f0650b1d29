from mizzen.resources.fields_table import Meaning, declarations, fields_table
from mizzen.resources.istio.virtual_service import HTTPRoute


def test_every_field_has_a_line_with_its_type_its_limits_and_what_it_becomes() -> None:
    meanings = {
        "virtual_service.HTTPRoute": {
            "timeout": Meaning("read", "RouteAction.timeout"),
            "old": Meaning("retired", "Write new."),
        }
    }

    lines = fields_table(meanings).splitlines()

    assert "## VirtualService (networking.istio.io/v1)" in lines
    assert "| `spec.http[].route[].destination.host` | text | required | read |  |" in lines
    assert "| `spec.http[].timeout` | duration |  | read | RouteAction.timeout |" in lines
    assert "| `spec.http[].old` |  |  | retired | Write new. |" in lines
    assert "| `spec.ports[].port` | integer, 1 to 65535 | required | read |  |" in lines


def test_every_declaration_has_a_name_of_its_own() -> None:
    assert declarations()["virtual_service.HTTPRoute"] is HTTPRoute
