"""Where a server is to listen, and what it finds there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Paths are those that the server sees."""

    folder: str  # its own: configuration, certificate, whatever it writes
    port: int  # TLS over TCP, and QUIC, on 127.0.0.1
    upstream: int  # port of the backend: HTTP/1.1 on 127.0.0.1
    workers: int  # processes or threads
    http3: bool

    @property
    def certificate(self) -> str:
        return f"{self.folder}/server.crt"

    @property
    def key(self) -> str:
        return f"{self.folder}/server.key"

    @property
    def both(self) -> str:
        """Certificate and key in one file."""
        return f"{self.folder}/server.pem"
