"""Where objects come from: files on this machine (later: a Kubernetes API server).

A source lists everything, then says when something changed; who listens lists again. Nothing here judges
what it reads.
"""
