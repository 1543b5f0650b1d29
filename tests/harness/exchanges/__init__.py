"""Requests and their answers step by step, whatever the version of HTTP: clients over HTTP/1.1, 2 and 3, and a backend.

`exchange` holds the values and what the clients have in common; `http1`, `http2` and `http3` are the clients. They send what
they are told, piece by piece, and note what comes and when. `backend` is what the gateway forwards to; what it does is
`behaviours`.
"""

from tests.harness.exchanges.exchange import Answer, Asked, Connection, End, Exchange
from tests.harness.exchanges.http1 import Http1
from tests.harness.exchanges.http2 import Http2
from tests.harness.exchanges.http3 import Http3

CLIENTS: dict[str, type[Connection]] = {"h1": Http1, "h2": Http2, "h3": Http3}

__all__ = ["CLIENTS", "Answer", "Asked", "Connection", "End", "Exchange"]
