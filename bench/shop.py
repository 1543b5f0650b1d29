"""The configuration that is measured: one gateway for *.shop.test, and hosts with a file and three rules each."""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from mizzen.demo.certificates import KeyPair
from tests.harness import gateway
from tests.harness.gateway import Authority, replace_file

DOMAIN = "shop.test"
NAMESPACE = "istio-system"
BACKENDS = (18081, 18082)  # two that answer differently, so that it shows which of them is asked


def host(number: int) -> str:
    return f"host-{number}.{DOMAIN}"


def virtual_service(
    number: int,
    version: str,
    *,
    hosts: str = "",
    service: str = "backend.test",
    subset: str = "",
    gateway_name: str = "shop",
    rules: int = 3,
) -> str:
    """All rules but the last go to a service; the last is answered by the gateway, and x-version says by which."""
    chosen = f"\n        subset: {subset}" if subset else ""
    rule = "".join(
        f"  - match:\n    - uri:\n        prefix: /part-{at}\n    route:\n    - destination:\n"
        f"        host: {service}\n        port:\n          number: 80{chosen}\n"
        for at in range(rules - 1)
    )
    return (
        f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: route-{number}\n"
        f'  namespace: {NAMESPACE}\nspec:\n  hosts:\n  - "{hosts or host(number)}"\n  gateways:\n'
        f"  - {gateway_name}\n  http:\n{rule}"
        f'  - headers:\n      response:\n        set:\n          x-version: "{version}"\n'
        "    directResponse:\n      status: 200\n      body:\n        string: hello\n"
    )


def service_name(number: int) -> str:
    return f"service-{number}"


def service_host(number: int) -> str:
    """By which rules know a Service of `service`."""
    return f"{service_name(number)}.{NAMESPACE}.svc.cluster.local"


def service(number: int) -> str:
    return textwrap.dedent(f"""\
        apiVersion: v1
        kind: Service
        metadata:
          name: {service_name(number)}
          namespace: {NAMESPACE}
        spec:
          clusterIP: None
          ports:
          - name: http
            port: 80
            targetPort: 8080
        """)


def endpoint_slice(number: int, port: int, address: str = "127.0.0.1") -> str:
    return textwrap.dedent(f"""\
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: {service_name(number)}
          namespace: {NAMESPACE}
          labels:
            kubernetes.io/service-name: {service_name(number)}
        addressType: IPv4
        ports:
        - name: http
          port: {port}
          protocol: TCP
        endpoints:
        - addresses:
          - {address}
          conditions:
            ready: true
        """)


def service_entry(number: int) -> str:
    """A service whose two backends have different labels."""
    endpoints = "".join(
        f"  - address: 127.0.0.1\n    ports:\n      http: {port}\n    labels:\n      version: v{at}\n"
        for at, port in enumerate(BACKENDS)
    )
    return (
        f"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: entry-{number}\n"
        f"  namespace: {NAMESPACE}\nspec:\n  hosts:\n  - entry-{number}.test\n  location: MESH_INTERNAL\n"
        "  resolution: STATIC\n  ports:\n  - number: 80\n    name: http\n    protocol: HTTP\n"
        f"  endpoints:\n{endpoints}"
    )


def destination_rule(number: int, version: int, step: int = 0) -> str:
    """Of a service of `service_entry`: which backend is `live`. `step` changes the cluster itself as well."""
    return textwrap.dedent(f"""\
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata:
          name: rule-{number}
          namespace: {NAMESPACE}
        spec:
          host: entry-{number}.test
          trafficPolicy:
            connectionPool:
              tcp:
                connectTimeout: {1000 + step}ms
          subsets:
          - name: live
            labels:
              version: v{version}
        """)


def secret(pair: KeyPair) -> str:
    """The Secret of the gateway's server."""
    return gateway.secret("shop-tls", pair)


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder with the gateway and its certificate, to which the rest is written."""

    folder: Path
    authority: Authority = field(default_factory=Authority)

    def open(self) -> None:
        """Write what all measurements share."""
        self.write("secret", self.certificate())
        self.write("gateway", gateway.gateway(f"*.{DOMAIN}"))
        self.write("backend", gateway.backend(BACKENDS[0]))

    def certificate(self) -> str:
        """A Secret with a new certificate for all hosts."""
        return secret(self.authority.server(f"*.{DOMAIN}"))

    def write(self, name: str, text: str) -> None:
        """A new file in the place of the old one, as editors and git write."""
        replace_file(self.folder / f"{name}.yaml", text)

    def write_routes(self, count: int, rules: int = 3) -> None:
        for number in range(count):
            self.write(f"route-{number}", virtual_service(number, "0", rules=rules))
