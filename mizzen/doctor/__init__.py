"""`mizzen doctor`: walks what a client walks, and names the first broken link of a host's HTTP/3.

`links` is what comes out, `walk` measures, the modules between judge: verdicts are pure functions of values, and what asks a
network stands apart from them. A network that fails is a measurement, never an exception. aioquic and dnspython are
imported only when a host is walked. `operator*` judge what is known at the gateway: why a link is broken.
"""
