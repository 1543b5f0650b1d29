"""What a Pod gets so that its traffic goes through a proxy, and which Pods get it. Plain manifests, no I/O.

The API server's questions are answered by `mizzen.cluster.http` with what is decided here; the rules of the
redirection are set by `mizzen.agent.redirect`.
"""
