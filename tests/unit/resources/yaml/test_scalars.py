import pytest

from mizzen.resources.yaml.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", True),
        ("On", True),
        ("off", False),
        ("FALSE", False),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("0b101", 5),
        ("-12", -12),
        ("+5", 5),
        ("1_000", 1000),
        ("0", 0),
        ("08", 8.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", float("inf")),
    ],
)
def test_a_plain_scalar_means_what_kubectl_takes_it_for(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["1:30", "2024-05-01", "2024-05-01T10:00:00Z", "1.2.3", "y", "n", "-", ".", "1" * 5000, "0x", "1e"],
)
def test_what_only_looks_like_a_number_stays_a_text(text: str) -> None:
    assert resolve(text) == text
