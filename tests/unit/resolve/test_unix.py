"""Which Unix sockets objects may name."""

import pytest

from mizzen.resolve.context import UnixFolders
from mizzen.resolve.unix import refusal

FOLDERS = UnixFolders(allowed=("/run/apps", "/srv/mesh", "@bus"), closed=("/srv/mesh",))


@pytest.mark.parametrize("address", ["unix:///run/apps/web.sock", "/run/apps/web", "unix://@bus"])
def test_what_was_named_at_start_may_be_used(address: str) -> None:
    assert refusal(FOLDERS, address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "unix:///run/apps",
        "unix:///run/apps/",
        "unix:///run/apps/..",
        "unix:///run/apps/../mizzen/ads.sock",
        "unix:///run/apps/deep/web.sock",
        "unix:///run/apps2/web.sock",
        "unix:////run/apps/web.sock",
        "unix://run/apps/web.sock",
        "unix://@bus/other",
        "unix://@",
        "unix://",
        "unix:///web.sock",
        "/etc/passwd",
        "unix:///srv/mesh/ads.sock",  # named, and our own all the same
        "unix:///run/mizzen/control.sock",
    ],
)
def test_nothing_else_may_be_used(address: str) -> None:
    assert refusal(FOLDERS, address)


def test_without_a_folder_no_socket_may_be_used() -> None:
    assert refusal(UnixFolders(), "unix:///run/apps/web.sock")
