"""IstioOperator -> Kubernetes manifests. No I/O: `mizzen.run` applies them."""
