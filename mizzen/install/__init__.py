"""IstioOperator -> Kubernetes manifests, and what is to be done with them. No I/O but in `apply/`, which brings a cluster there.

`declaring` merges a profile, files and `--set` into one IstioOperator; `manifests` makes plain objects of it in the
order in which they are applied; `readiness` says why an object is not ready.
"""
