"""Manifests -> a cluster: applied in order and waited for (`install`, `waiting`), taken out again (`uninstall`).

The only part of `mizzen.install` that talks to an API server, for a command that a person runs: what is refused is
told as a sentence (`objects`). What an object is to look like, and whether it is ready, is decided outside, in pure
functions.
"""
