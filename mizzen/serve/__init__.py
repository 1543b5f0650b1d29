"""Servers that proxies talk to: configuration over ADS (`ads`), certificates and joining (`certificates`).

Sockets, gRPC and who is let in (`credentials`); what is said on a stream is decided in `mizzen.xds`, pure, and what
there is to say is handed in. Nothing here knows of objects, gateways or Kubernetes.
"""
