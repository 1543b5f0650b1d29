"""Hosts are compared in lower case and without a dot at their end."""

import pytest

from mizzen.resources.rules.host_names import folded


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("shop.test", "shop.test"),
        ("Shop.TEST.", "shop.test"),
        ("*.Shop.test.", "*.shop.test"),
        ("team-a/Shop.test.", "team-a/shop.test"),
        ("*/*", "*/*"),
        ("*", "*"),
        ("FE80::1", "fe80::1"),
        ("Shop", "shop"),
        ("shop.", "shop."),  # not the Service "shop" of a namespace
    ],
)
def test_a_host_as_clients_spell_it(written: str, compared: str) -> None:
    assert folded(written) == compared
