"""The built-in test backend: what kennethreitz/httpbin answers, streaming, and hiding nothing it received.

`echo` says what a request looked like (pure), `app` holds the routes, `server` listens. Nothing here knows
of gateways: any HTTP/1.1 client may use it.
"""
