"""`mizzen doctor`: walks what a client walks, and names the first broken link."""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mizzen.cli import gateway_sight, options
from mizzen.cli.gateway_sight import Gateways, Operator

if TYPE_CHECKING:
    from mizzen.doctor.asking import Options
    from mizzen.doctor.links import Report
    from mizzen.doctor.operator import Explained
    from mizzen.doctor.target import Target

BROKEN, COULD_NOT_LOOK = 2, 1
_EVERY = "5"  # seconds, where --watch stands alone
_AT_ONCE = 8  # URLs: each has threads of its own
_FILE = click.Path(path_type=Path, dir_okay=False)
_SECONDS = click.FloatRange(min=0, min_open=True)


class _Misused(click.UsageError):
    """What is wrong with the command line: exit status 2 says that a link is broken."""

    exit_code = COULD_NOT_LOOK


class _Command(click.Command):
    """A command whose misuse ends with 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _Misused(error.format_message(), error.ctx) from None


@click.command("doctor", cls=_Command)
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option(
    "--watch",
    is_flag=False,
    flag_value=_EVERY,
    metavar="[SECONDS]",
    help=f"Look again and again, every so many seconds (alone: {_EVERY}), until Ctrl-C.",
)
@click.option(
    "--resolve", multiple=True, metavar="HOST:PORT:ADDRESS[,ADDRESS]...", help="Where a host is. Repeatable."
)
@click.option(
    "--connect-to",
    multiple=True,
    metavar="HOST1:PORT1:HOST2:PORT2",
    help="Connect to HOST2:PORT2 instead. Repeatable.",
)
@click.option("--cacert", type=_FILE, help="PEM of the authorities to trust.  [default: the system's]")
@click.option("-E", "--cert", type=_FILE, help="PEM of the client's certificate, with its chain.")
@click.option("--key", type=_FILE, help="PEM of its key.  [default: in the file of --cert]")
@click.option("-k", "--insecure", is_flag=True, help="Whoever answers: certificates are not verified.")
@click.option("--http3-only", is_flag=True, help="Nothing over TCP: for servers that have HTTP/3 alone.")
@click.option("-4", "--ipv4", "family", flag_value="4", help="IPv4 addresses alone.")
@click.option("-6", "--ipv6", "family", flag_value="6", help="IPv6 addresses alone.")
@click.option(
    "--dns-servers", default="", metavar="ADDRESS[:PORT],...", help="Ask these in place of the system's."
)
@click.option(
    "--connect-timeout",
    type=_SECONDS,
    default=2.0,
    show_default=True,
    help="Seconds for a lookup, and for each connection.",
)
@click.option(
    "-m", "--max-time", type=_SECONDS, default=5.0, show_default=True, help="Seconds for each answer."
)
@click.option(
    "--quiet",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Leave one connection without a word for so long, and ask again: is it still there?",
)
@options.output("short", "json")
@gateway_sight.gateways
def command(urls: tuple[str, ...], watch: str | None, output: str, gateways: Gateways, **how: Any) -> None:
    """Walk what a client walks to HTTP/3, and name the first broken link, what to do, and what was fine before it.

    With curl's own options. Where the gateway runs here, or is named, what is known there is told too: it says why a
    link is broken. Exit status: 0 healthy, 2 a link is broken, 1 it could not look. `-o json` prints one
    object for one URL, a list for several; with --watch one line for each look.
    """
    urls, interval = _watched(urls, watch)
    if not urls:
        _give_up("name a URL, such as https://shop.example.com/")
    targets = _targets(urls, how)
    look_as = _options(how)
    operator = Operator(gateways, [(one.host, one.port) for one in targets])
    healthy = None
    try:
        while True:
            operator.look()
            looked = operator.explain(_look(targets, look_as))
            healthy = all(one.report.healthy for one in looked)
            _show(looked, output, is_watching=interval is not None)
            if interval is None:
                break
            time.sleep(interval)
    except KeyboardInterrupt:
        pass
    sys.exit({True: 0, False: BROKEN, None: COULD_NOT_LOOK}[healthy])


def _give_up(why: str) -> NoReturn:
    raise click.ClickException(why)


def _watched(urls: tuple[str, ...], watch: str | None) -> tuple[tuple[str, ...], float | None]:
    """The URLs and the interval: the word after --watch may be either."""
    if watch is None:
        return urls, None
    try:
        interval = float(watch)
    except ValueError:
        return (watch, *urls), float(_EVERY)
    if not 0 < interval < float("inf"):
        _give_up(f"--watch {watch}: that is no number of seconds")
    return urls, interval


def _targets(urls: Sequence[str], how: dict[str, Any]) -> "list[Target]":
    from mizzen.doctor.target import Unusable, parse

    try:
        return [parse(url, how["resolve"], how["connect_to"]) for url in urls]
    except Unusable as error:
        _give_up(str(error))


def _options(how: dict[str, Any]) -> "Options":
    from mizzen.doctor.asking import Options
    from mizzen.doctor.pem import Unreadable, authorities, client

    try:
        certificate, key = client(_read(how["cert"]), _read(how["key"])) if how["cert"] else ("", "")
        if how["key"] and not how["cert"]:
            _give_up("--key needs --cert")
        return Options(
            ca_pem=authorities(_read(how["cacert"])) if how["cacert"] else "",
            certificate_pem=certificate,
            key_pem=key,
            insecure=how["insecure"],
            http3_only=how["http3_only"],
            family=how["family"] or "",
            connect_timeout=how["connect_timeout"],
            max_time=how["max_time"],
            quiet=how["quiet"],
            nameservers=_nameservers(how["dns_servers"]),
        )
    except Unreadable as error:
        _give_up(str(error))


def _nameservers(text: str) -> tuple[str, ...]:
    from mizzen.doctor.resolver import server

    named = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in named:
        try:
            server(word)
        except ValueError:
            _give_up(f"--dns-servers: {word!r} is not ADDRESS[:PORT]")
    return named


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text (PEM)"
        _give_up(f"{path} cannot be read: {why}")


def _look(targets: "Sequence[Target]", look_as: "Options") -> "list[Report]":
    """All targets side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from mizzen.doctor.verdicts import judge
    from mizzen.doctor.walk import walk

    now = datetime.now(UTC)
    with ThreadPoolExecutor(min(len(targets), _AT_ONCE)) as pool:
        return list(pool.map(lambda target: judge(walk(target, look_as, now)), targets))


def _show(looked: "Sequence[Explained]", output: str, *, is_watching: bool) -> None:
    if output == "json":
        values = [one.to_json() for one in looked]
        value = values[0] if len(values) == 1 else values
        click.echo(json.dumps(value, indent=None if is_watching else 2, ensure_ascii=False))
        return
    from mizzen.doctor.table import rendered

    if is_watching:
        click.echo(f"\n{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    width = min(shutil.get_terminal_size((100, 24)).columns, 140)
    sections = [one.section(width, _coloured, whole=len(looked) == 1) for one in looked]
    click.echo(rendered([one.report for one in looked], width, _coloured, sections), nl=False)


def _coloured(text: str, ok: bool | None) -> str:
    """click takes the colours away where no terminal shows them."""
    return click.style(text, fg={True: "green", False: "red", None: None}[ok], bold=ok is False)
