"""nginx: its configuration, and what it says of itself. Pure."""

from bench.peers.place import Place

FILE = "nginx.conf"
VERSION = ("-V",)
HTTP3 = "--with-http_v3_module"  # stands in what it says when it has HTTP/3
_FOREVER = (
    1_000_000_000  # requests; nginx closes a connection after 1,000, and handshakes would be in the figures
)


def arguments(place: Place) -> list[str]:
    return ["-c", f"{place.folder}/{FILE}", "-e", "stderr"]


def environment(_: Place) -> dict[str, str]:
    return {}


def config(place: Place) -> str:
    """Connections to the backend are kept, as many as there are in flight; no body goes by way of the disk."""
    quic = f"listen 127.0.0.1:{place.port} quic reuseport;\n    quic_gso on;" if place.http3 else ""
    temporary = "\n".join(
        f"  {kind}_temp_path {place.folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
user root;
worker_processes {place.workers};
daemon off;
pid {place.folder}/nginx.pid;
error_log stderr error;
events {{
  worker_connections 8192;
}}
http {{
  access_log off;
{temporary}
  keepalive_requests {_FOREVER};
  ssl_session_cache shared:tls:10m;
  upstream backend {{
    server 127.0.0.1:{place.upstream};
    keepalive 256;
    keepalive_requests {_FOREVER};
  }}
  server {{
    listen 127.0.0.1:{place.port} ssl backlog=4096;
    http2 on;
    {quic}
    ssl_certificate {place.certificate};
    ssl_certificate_key {place.key};
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""
