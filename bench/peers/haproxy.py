"""haproxy: its configuration, and what it says of itself. Pure."""

from bench.peers.place import Place

FILE = "haproxy.cfg"
VERSION = ("-vv",)
HTTP3 = " +QUIC "  # stands in what it says when it has HTTP/3


def arguments(place: Place) -> list[str]:
    return ["-db", "-f", f"{place.folder}/{FILE}"]


def environment(_: Place) -> dict[str, str]:
    return {}


def config(place: Place) -> str:
    """Connections to the backend are shared by all clients."""
    quic = f"bind quic4@127.0.0.1:{place.port} ssl crt {place.both} alpn h3" if place.http3 else ""
    return f"""\
global
  nbthread {place.workers}
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:{place.port} ssl crt {place.both} alpn h2,http/1.1
  {quic}
  default_backend servers
backend servers
  server first 127.0.0.1:{place.upstream}
"""
