"""The same questions over HTTP/1.1, 2 and 3, and the same answers: one gateway, and the rows of `protocol_table`."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.protocol_table import ROWS
from tests.harness import gateway
from tests.harness.exchanges import backend as backends
from tests.harness.exchanges import calls, site
from tests.harness.exchanges.backend import Backend
from tests.harness.exchanges.observed import Observed
from tests.harness.exchanges.rows import Row, Talk, wrong
from tests.harness.gateway import Authority

pytestmark = pytest.mark.e2e

_numbers = itertools.count()


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Backend]:
    """A gateway before it."""
    folder: Path = tmp_path_factory.mktemp("yaml")
    with calls.serving() as grpc_port, backends.running(authority.server("inner.test")) as running:
        (folder / "site.yaml").write_text(site.site(authority, running, grpc_port))
        with gateway.up(folder):
            yield running


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_is_the_same_over_each_version_of_http(row: Row, backend: Backend, authority: Authority) -> None:
    async def observe(protocol: str, kind: str) -> tuple[tuple[str, str], Observed]:
        name = f"{next(_numbers)}"
        return (protocol, kind), await row.does(Talk(protocol, kind, name, backend, authority.pem))

    async def all_places() -> dict[tuple[str, str], Observed]:
        if row.alone:
            return dict([await observe(*place) for place in row.places()])
        return dict(await asyncio.gather(*(observe(*place) for place in row.places())))

    observed = asyncio.run(all_places())

    if problems := wrong(row, observed):
        pytest.fail("\n".join(problems), pytrace=False)
