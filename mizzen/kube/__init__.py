"""A Kubernetes API server: asked, watched, forwarded through, and a Lease taken at it.

`client` knows paths and objects, `reflector` lists and watches, `leader_election` holds a Lease, `port_forward`
reaches into Pods. Objects are plain mappings as JSON has them. What they mean, and what is believed where they cannot
be read, is for others: nothing here knows a kind of Istio, a gateway or a control plane.
"""
