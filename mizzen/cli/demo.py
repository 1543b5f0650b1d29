"""`mizzen demo`: the walk-through in one go."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mizzen.cli import options
from mizzen.status import Status

PATIENCE = timedelta(seconds=10)
BACKEND_PORT = 8000
SIDECAR_PORT = 15006  # where Istio's sidecars take what comes for their application


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mizzen-demo"),
    show_default=True,
    help="Where the YAML files and certificates are written; your edits in it are kept.",
)
@click.option("--once", is_flag=True, help="Stop after the requests; exit status 0 if all went well.")
@options.run_dir
def command(folder: Path, once: bool, run_dir: Path) -> None:
    """Show HTTP/2 and HTTP/3 through a real gateway, from nothing.

    Makes certificates, writes the walk-through's YAML, starts the control plane, Envoy and a test backend, and
    asks GET /headers over HTTP/2 and HTTP/3 with certificates verified. Stays until Ctrl-C; edits of the
    files are live at once.
    """
    from mizzen.demo import walkthrough
    from mizzen.node.child_process import Command
    from mizzen.node.instance import Instance
    from mizzen.node.restarting_process import StartFailed
    from mizzen.node.up import Up, serve

    port, sidecar_port = free_port(BACKEND_PORT), free_port(SIDECAR_PORT)
    try:
        written = walkthrough.write(folder, port, sidecar_port, datetime.now(UTC))
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}") from None
    click.echo(f"Wrote {', '.join(written)} into {folder}/")
    backend = (sys.executable, "-m", "mizzen", "httpbin", "--port", str(port))
    instance = Instance(run_dir.absolute())
    up = Up(
        instance=instance,
        arguments=("-f", str(folder), "--sidecar", walkthrough.SIDECAR),
        helpers=(Command(name="httpbin", argv=backend),),
    )
    show = Show(folder, instance.run_dir, once)
    try:
        serve(up, click.echo, then=show.start)
    except StartFailed as error:
        raise click.ClickException(str(error)) from None
    if once and (show.failed or not show.finished):
        raise click.ClickException(show.failed or "it was stopped before the requests were made")


def free_port(preferred: int) -> int:
    """`preferred`, or any other when somebody has it."""
    from mizzen.httpbin.server import listen

    for port in (preferred, 0):
        try:
            with listen("127.0.0.1", port) as socket:
                return int(socket.getsockname()[1])
        except OSError:
            continue
    raise click.ClickException("no port is free for the test backend on 127.0.0.1")


class Show:
    """The requests and what is printed of them, beside the running gateway."""

    def __init__(self, folder: Path, run_dir: Path, once: bool) -> None:
        self.folder, self.run_dir, self.once = folder, run_dir, once
        self.failed = ""
        self.finished = False

    def start(self, supervisor: Any, status: Status) -> None:
        """Ask in a thread: the supervisor's loop goes on."""
        done: Callable[[], object] = supervisor.stop if self.once else (lambda: None)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, args=(status, loop, done), daemon=True).start()

    def _run(self, status: Status, loop: Any, done: Callable[[], object]) -> None:
        try:
            self.failed = self._show(status)
        except Exception as error:  # noqa: BLE001  # a thread's end would otherwise go unseen
            self.failed = f"the demo failed: {error!r}"
        self.finished = True
        if self.failed and not self.once:
            click.echo(f"Error: {self.failed}", err=True)
        loop.call_soon_threadsafe(done)

    def _show(self, status: Status) -> str:
        """Both conversations, the table of listeners, the commands to copy. Why it failed, or ""."""
        from mizzen.cli import running
        from mizzen.cli.dump import config_dump, listeners
        from mizzen.cli.tables import LISTENERS, listener_rows, table
        from mizzen.demo import walkthrough
        from mizzen.demo.browsers import chromium_command
        from mizzen.probe.client import Protocol, Request, fetch
        from mizzen.probe.conversation import conversation, curl_command

        mirrors = [
            (key, one.port)
            for key, gateway in status.gateways.items()
            for one in gateway.listeners
            if one.transport == "quic"
        ]
        if not mirrors:
            return "the gateway has no HTTP/3 listener (did an edit of the files take it away?)"
        key, mirror = mirrors[0]
        ca = self.folder / walkthrough.CA
        failures = []
        commands = []
        shown = ""  # the certificate
        for protocol in (Protocol.H2, Protocol.H3):
            request = Request(
                host=walkthrough.HOST,
                port=mirror,
                path="/headers",
                headers=(("Accept", "*/*"),),
                protocol=protocol,
                address="127.0.0.1",
                ca_pem=ca.read_text(),
                timeout=PATIENCE,
            )
            answer = fetch(request)
            commands.append(curl_command(request, ca_file=os.path.relpath(ca)))
            shown = next(iter(answer.chain), shown)
            click.echo(f"\n{conversation(request, answer)}".rstrip())
            if answer.status != 200 or answer.protocol is not protocol:
                failures.append(f"{protocol.value}: {answer.error or f'status {answer.status}'}")
        dump = config_dump(running.admin(self.run_dir, key, "/config_dump"))
        click.echo(f"\n{table(LISTENERS, listener_rows(listeners(dump)), 1)}")
        self._invite(commands, f"{walkthrough.HOST}:{mirror}", os.path.relpath(ca))
        if shown and not self.once:
            profile = Path(os.path.relpath(self.folder), "chromium")
            command = chromium_command(walkthrough.HOST, mirror, "/headers", shown, profile)
            click.echo(
                f"Or in a browser (docs/browsers.md; Firefox finds HTTP/3 by itself):\n\n  {command}\n"
            )
        if not self.once:
            click.echo(f"Edit the files in {self.folder}/ and ask again; Ctrl-C ends everything.")
        return "; ".join(failures)

    def _invite(self, commands: Sequence[str], place: str, ca: str) -> None:
        """To copy and ask again."""
        click.echo("Ask yourself (the second needs a curl with HTTP/3):\n")
        click.echo("".join(f"  {text}\n" for text in commands))
        options = f"--resolve {place}:127.0.0.1 --cacert {ca} --run-dir {self.run_dir}"
        click.echo(f"Look at it link by link:\n\n  mizzen doctor https://{place}/headers {options}\n")
