"""Real requests over HTTP/1.1, HTTP/2 and HTTP/3, made with libcurl.

`client` asks once and answers with a value, `conversation` writes that down as the curl command would,
`mirror` proves that a UDP port serves a certificate, `load` keeps many requests in flight. A network that
fails is an answer here, never an exception. Nothing in this package knows of Istio, Kubernetes or Envoy.
"""
