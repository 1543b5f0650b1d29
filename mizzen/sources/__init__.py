"""Where objects come from: files on this machine, or a Kubernetes API server.

A source lists everything, then says when something changed; who listens lists again. What files say is held against
what they said before (`settling`), and objects against their last good version (`last_good`).
"""
