"""An API server for the faults that a real one cannot be made to show: it says what a test tells it to."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User

from mizzen.kube.client import Kube

Json = dict[str, Any]


def one(name: str, version: int, **spec: Any) -> Json:
    """An object."""
    return {"metadata": {"name": name, "namespace": "a", "resourceVersion": str(version)}, "spec": spec}


def page(*items: Json, version: int, following: str = "") -> Json:
    """A list's answer."""
    return {"metadata": {"resourceVersion": str(version), "continue": following}, "items": list(items)}


def event(kind: str, obj: Json) -> Json:
    return {"type": kind, "object": obj}


def bookmark(version: int) -> Json:
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def refusal(status: int, message: str = "no", **headers: str) -> "Answer":
    return Answer(status, {"kind": "Status", "code": status, "message": message}, headers=headers)


@dataclass(slots=True)
class Answer:
    """What is said to one request. `events`: a watch; then it stays open unless it `ends`."""

    status: int = 200
    body: Json | None = None
    events: list[Json] = field(default_factory=list)
    cut: str = ""  # the beginning of one more event
    ends: bool = True
    headers: dict[str, str] = field(default_factory=dict)


class FakeServer:
    """Answers lists and watches from two queues; when one is empty, such a request waits for ever."""

    def __init__(self) -> None:
        self.lists: deque[Answer | Json] = deque()
        self.watches: deque[Answer] = deque()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> Kube:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return Kube(
            SingleConfig(
                context_name="fake",
                context=Context(cluster="fake"),
                cluster=Cluster(server=f"http://127.0.0.1:{port}"),
                user=User(),
            )
        )

    async def stop(self) -> None:
        assert self._server
        self._server.close()

    def of(self, kind: str) -> list[dict[str, str]]:
        """The parameters of all lists, or of all watches."""
        return [said for _, said in self.asked if (said.get("watch") == "true") == (kind == "watch")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ")[1].decode()
                said = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
                self.asked.append((urlsplit(target).path, said))
                queue: Any = self.watches if said.get("watch") == "true" else self.lists
                while not queue:
                    await asyncio.sleep(0.005)
                if not await self._answer(queue.popleft(), writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, answer: Answer | Json, writer: asyncio.StreamWriter) -> bool:
        if not isinstance(answer, Answer):
            answer = Answer(body=answer)
        lines = (
            [json.dumps(answer.body)] if answer.body is not None else [json.dumps(e) for e in answer.events]
        )
        content = ("".join(f"{line}\n" for line in lines) + answer.cut).encode()
        head = "".join(f"{key}: {value}\r\n" for key, value in answer.headers.items())
        length = f"content-length: {len(content)}\r\n" if answer.body is not None else "connection: close\r\n"
        writer.write(
            f"HTTP/1.1 {answer.status} x\r\ncontent-type: application/json\r\n{head}{length}\r\n".encode()
        )
        writer.write(content)
        await writer.drain()
        while not answer.ends:
            await asyncio.sleep(0.005)
        return answer.body is not None
