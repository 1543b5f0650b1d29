"""Beside an Envoy whose control plane is elsewhere: in a Pod, or on another machine.

Here live the proxy's way to its certificate (`join`), its Envoy, its health and its end in good order (`agent`), what
the Pod asks it (`app_health`, `admin_reader`), what it knows of its Pod (`pod`), and the redirection of a Pod's
connections (`redirect`). It knows a control plane by what that answers, and imports nothing of one: nothing here
reads a manifest of Istio, builds a configuration or signs a certificate.
"""
