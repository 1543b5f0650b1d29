"""One Envoy: where its binary is, what it is started with, and how to ask it something.

I/O stays in `admin` and `trial`; `bootstrap` is a pure function. Keeping an Envoy running, and watching it, belong to
`mizzen.node`.
"""
