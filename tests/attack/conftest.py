"""A site for the attacks of a file; each of them must leave it as it was."""

from collections.abc import Iterator

import pytest
from attacked_site import Site, attacked


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with attacked(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> None:
    """What earlier attacks brought to the backend is not this one's."""
    if "site" in request.fixturenames:
        request.getfixturevalue("site").backend.take()
