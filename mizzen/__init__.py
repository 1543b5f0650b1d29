"""mizzen: HTTP/3 for every HTTPS server you already have."""

from typing import Final

__version__: Final = "0.1.0"
