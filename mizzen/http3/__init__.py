"""HTTP/3 beside HTTPS: which server may have a mirror, and the life of its announcement. All pure."""
