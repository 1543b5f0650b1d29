"""`mizzen bug-report`: one archive with what somebody who helps must see, and no secrets."""

import asyncio
import io
import json
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from mizzen import __version__
from mizzen.cli import reach
from mizzen.client.bug_report import ASKED, Part, of_cluster
from mizzen.redaction import hidden_document

_LOG_BYTES = 2_000_000


@click.command("bug-report")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mizzen-bug-report.tar.gz"),
    show_default=True,
)
@reach.target
def command(output: Path, target: reach.Target) -> None:
    """Gather versions, objects, logs, and what control plane and Envoys hold. Secrets are left out: read it before you send it."""
    if isinstance(target, reach.Remote):
        parts = _remote(target)
    else:
        assert isinstance(target, reach.Local)
        parts = _local(target)
    pack(output, parts)
    failed = sum(text.startswith("could not be had") for _, text in parts)
    note = f", {failed} of which could not be had (each says why)" if failed else ""
    click.echo(f"✔ {output} has {len(parts)} files{note}")


def _remote(target: reach.Remote) -> list[Part]:
    from mizzen.kube.client import KubeError

    async def gather() -> list[Part]:
        kube = target.cluster.connect()
        try:
            await kube.get("/version")
            return [part async for part in of_cluster(kube, target.system_namespace)]
        finally:
            await kube.close()

    try:
        return asyncio.run(gather())
    except KubeError as error:
        raise click.ClickException(str(error)) from None


def _local(target: reach.Local) -> list[Part]:
    status = target.status()
    parts = [
        ("version.txt", f"mizzen {__version__}\n"),
        ("status.json", json.dumps(status.to_json(), indent=1)),
    ]
    for key in sorted(status.gateways):
        for file, question in ASKED.items():
            try:
                text = target.admin(key, question)
            except click.ClickException as error:
                text = f"could not be had: {error.message}\n"
            parts.append((f"proxies/{key}/{file}", text))
    for path in sorted((target.run_dir / "logs").glob("*.log")):
        parts.append((f"logs/{path.name}", path.read_bytes()[-_LOG_BYTES:].decode(errors="replace")))
    return [(name, hidden_document(text)) for name, text in parts]


def pack(output: Path, parts: Iterable[Part]) -> None:
    """Write the archive, readable by its owner alone."""
    now = int(datetime.now(UTC).timestamp())
    output.unlink(missing_ok=True)
    output.touch(mode=0o600)
    with tarfile.open(output, "w:gz") as archive:
        for name, text in parts:
            content = text.encode()
            entry = tarfile.TarInfo(f"mizzen-bug-report/{name}")
            entry.size, entry.mtime, entry.mode = len(content), now, 0o600
            archive.addfile(entry, io.BytesIO(content))
