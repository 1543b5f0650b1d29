"""Where objects come from: files on this machine (`files`), or a Kubernetes API server (`cluster`).

A source lists everything, then says when something has changed; who listens lists again, and each listing says what
differs from the one before. What has not changed is the very same object. What files say is held against what they
said before (`settling`), and objects against their last good version (`last_good`). Nothing here knows what objects
mean; how an API server is spoken to is in `mizzen.kube`.
"""
