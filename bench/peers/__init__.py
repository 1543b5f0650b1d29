"""Beside what a user would pick instead: nginx, haproxy, caddy and a bare Envoy, side by side with mizzen.

Lives here: a module for each server's configuration (pure), where programs are, the load (h2load), the tables.
`python -m bench peers` runs it.
"""

from bench.peers.command import main

__all__ = ["main"]
