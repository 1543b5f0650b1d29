"""caddy: its configuration, and what it says of itself. Pure."""

from bench.peers.place import Place
from tests.harness.gateway import HOST

FILE = "Caddyfile"
VERSION = ("version",)
HTTP3 = ""  # every caddy since 2.6


def arguments(place: Place) -> list[str]:
    return ["run", "--adapter", "caddyfile", "--config", f"{place.folder}/{FILE}"]


def environment(place: Place) -> dict[str, str]:
    return {"GOMAXPROCS": str(place.workers), "HOME": place.folder}


def config(place: Place) -> str:
    """Connections to the backend are kept, as many as there are in flight."""
    protocols = "h1 h2 h3" if place.http3 else "h1 h2"
    return f"""\
{{
  admin off
  persist_config off
  auto_https disable_redirects
  skip_install_trust
  storage file_system {place.folder}
  log {{
    level ERROR
  }}
  servers {{
    protocols {protocols}
  }}
}}
https://{HOST}:{place.port} {{
  bind 127.0.0.1
  tls {place.certificate} {place.key}
  reverse_proxy 127.0.0.1:{place.upstream} {{
    transport http {{
      keepalive_idle_conns 1024
      keepalive_idle_conns_per_host 256
    }}
  }}
}}
"""
