"""mizzen: HTTP/3 for every HTTPS server you already have."""

