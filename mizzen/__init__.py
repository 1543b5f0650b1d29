"""mizzen: HTTP/3 for every HTTPS server you already have."""

__version__ = "0.1.0"
