"""How much may be under way on an HTTP/2 connection: from a client, between proxies, or to a backend.

One between proxies carries the requests of many clients. What a client does not take stays in the window of its stream, and
counts in that of the connection: with Envoy's own windows (16 and 24 MiB) two clients who stop reading stop everybody
else on the connection. So the streams of a connection together never fill its window: it is as large as can be (RFC 9113,
section 6.9.1), which is that of 8,191 streams.

Envoy holds as much of an answer that its client does not take as the window of a stream is: with its own 16 MiB, twenty such
streams of one client are 340 MB. A client's windows are those that it has over QUIC.
"""

CLIENT_STREAM_WINDOW = 2**20  # bytes
CLIENT_CONNECTION_WINDOW = 4 * 2**20

STREAM_WINDOW = 256 * 1024  # bytes
CONNECTION_WINDOW = 2**31 - 1  # bytes
# To one sidecar. A further connection reaches another of its threads, and less is lost with one.
STREAMS = 100
# From one proxy. Others may not know how many we take before they ask; Envoy takes so many from others, too.
MOST_STREAMS = 1000
