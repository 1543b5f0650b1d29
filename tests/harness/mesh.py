"""A workload of the mesh on this machine: its WorkloadEntry, the Sidecar in front of it, Services that lead there."""


def service(name: str) -> str:
    """A Service of the workload."""
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: backend}}, ports: [{{name: http, port: 80}}]}}
---"""


def workload(
    sidecar: int, application: int, more: str = "", *, services: tuple[str, ...] = ("backend",)
) -> str:
    """`shop/vm`: its sidecar takes requests on one port of this machine and hands them on to the other. `more`: YAML
    that follows."""
    return f"""{"".join(map(service, services))}
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: vm, namespace: shop}}
spec: {{address: 127.0.0.1, labels: {{app: backend}}, serviceAccount: backend, ports: {{http: {sidecar}}}}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: vm, namespace: shop}}
spec:
  workloadSelector: {{labels: {{app: backend}}}}
  ingress: [{{port: {{number: {sidecar}, protocol: HTTP, name: http}}, defaultEndpoint: '127.0.0.1:{application}'}}]
{more}
"""
