"""One Envoy: where its binary is, what it is started with, and how to ask it something.

I/O stays in `admin`; `bootstrap` is a pure function. Starting, watching and restarting belong to `mizzen.run`.
"""
