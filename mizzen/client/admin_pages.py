"""Envoy's admin pages for a browser of this machine: as they are, but for what is secret in its configuration."""

import asyncio
from pathlib import Path

from mizzen.proxy.admin import ask
from mizzen.redaction import hidden_document

DUMP = "/config_dump"
_ADMIN_SECONDS = 20.0


async def show(socket: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request of a browser with what the Envoy behind `socket` says.

    Raises:
        OSError: Envoy does not answer.
        asyncio.IncompleteReadError, asyncio.LimitOverrunError: it was no request.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    first, *fields = head[:-4].split(b"\r\n")
    _, target, *_ = (*first.decode("latin-1").split(" "), "", "")
    if DUMP in target:
        writer.write(await configuration(socket, target))
        await writer.drain()
        writer.close()
        return
    # One request for each connection: a second one would be seen by nobody.
    kept = [one for one in fields if not one.lower().startswith(b"connection:")]
    from_envoy, to_envoy = await asyncio.open_unix_connection(socket)
    to_envoy.write(b"\r\n".join((first, *kept, b"connection: close", b"", b"")))
    await asyncio.gather(_copy(reader, to_envoy), _copy(from_envoy, writer))


async def configuration(socket: Path, target: str) -> bytes:
    """Envoy's whole answer to a question for its configuration, less what is secret. OSError when there is none."""
    status, body = await ask(socket, target, seconds=_ADMIN_SECONDS)
    shown = hidden_document(body.decode(errors="replace")).encode()
    head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(shown)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + shown


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(65_536):
        writer.write(content)
        await writer.drain()
    writer.close()
