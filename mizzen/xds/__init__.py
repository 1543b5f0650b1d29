"""The xDS protocol as values: what a gateway shall hold, and conversations that bring an Envoy there.

`snapshot` names everything one gateway shall hold; `delta` and `sotw` are the two ways of telling it, each a
machine without socket, clock or lock: requests go in, responses come out. `status` is what such a
conversation knows about its client. Sockets live in `mizzen.serve`.
"""
