"""What `analyze` says of YAML as its authors publish it: the table in tests/published/README.md.

    python -m scripts.published ISTIO BOUTIQUE NET_ISTIO SERVING KUBEFLOW > tests/published/README.md

Each argument is a checkout: istio/istio, GoogleCloudPlatform/microservices-demo, knative-extensions/net-istio, knative/serving,
kubeflow/manifests. Folders with a kustomization.yaml are built by `kubectl kustomize`. With --verbose every problem
is printed instead.
"""

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mizzen.client.analysis import analysis
from mizzen.errors import Problem, Severity
from mizzen.lazy import dataclass
from mizzen.pipeline import Settings
from mizzen.resources.raw_objects import parse_documents

_BOOKINFO = (
    "samples/bookinfo/platform/kube/bookinfo.yaml",
    "samples/bookinfo/networking/bookinfo-gateway.yaml",
)
_RULES = "samples/bookinfo/networking/destination-rule-all.yaml"


@dataclass(frozen=True, slots=True)
class Published:
    """What is applied together."""

    title: str
    repository: str
    # Files; folders that kustomize builds; folders whose YAML files are read (with /* at the end).
    paths: tuple[str, ...]
    why: str = ""  # what is true of the warnings and errors
    namespace: str = "default"  # into which it is applied


# The checkouts by the names of the arguments, and the commits that the committed table was made from.
REPOSITORIES = {
    "istio": ("istio/istio", "86c9f01fd73"),
    "boutique": ("GoogleCloudPlatform/microservices-demo", "34ffea917"),
    "net-istio": ("knative-extensions/net-istio", "bdbf4dac4"),
    "serving": ("knative/serving", "98e5ef90aa"),
    "kubeflow": ("kubeflow/manifests", "009c88084"),
}
_HEAD = """\
# What `analyze` says of YAML as its authors publish it

Counts by code, and why: each is true of what is applied there. Made by `python -m scripts.published`, which says how.
Notes are what a cluster adds (BE-004: endpoints of a selector) and kinds that ask nothing of a gateway (KIND-001)."""

_GATEWAY_API = "the Gateway API is not read"
_EAST_WEST = "the east-west gateway is made by a script of its own"


def _istio() -> Iterator[Published]:
    def rules(title: str, *names: str, why: str = "") -> Published:
        paths = (f"samples/bookinfo/networking/{name}.yaml" for name in names)
        return Published(f"Bookinfo, {title}", "istio", (*_BOOKINFO, *paths), why)

    yield rules("its gateway and subsets", "destination-rule-all")
    yield rules("mutual TLS", "destination-rule-all-mtls")
    for name in (
        *("all-v1", "details-v2", "ratings-db", "ratings-mysql", "ratings-mysql-vm", "ratings-test-abort"),
        *("ratings-test-delay", "reviews-50-v3", "reviews-80-20", "reviews-90-10", "reviews-jason-v2-v3"),
        *("reviews-test-v2", "reviews-v2-v3", "reviews-v3"),
    ):
        yield rules(name, "destination-rule-all", f"virtual-service-{name}")
    yield rules(
        "a fault",
        "fault-injection-details-v1",
        why="its second rule is never met: the first takes every request",
    )
    yield rules("egress-rule-google-apis", "egress-rule-google-apis")
    yield rules(
        "certmanager-gateway", "certmanager-gateway", why="the solver's Service is made by cert-manager"
    )
    paths = (
        "samples/bookinfo/policy/productpage_envoy_ratelimit.yaml",
        "samples/ratelimit/rate-limit-service.yaml",
    )
    yield Published("Bookinfo, rate limits", "istio", (*_BOOKINFO, *paths), "as istioctl tells it (IST0151)")
    for name, gateway in (
        ("bookinfo/platform/kube", "bookinfo/gateway-api/bookinfo"),
        ("httpbin", "httpbin/gateway-api/httpbin"),
        ("helloworld", "helloworld/gateway-api/helloworld"),
    ):
        kind = name.partition("/")[0]
        yield Published(
            f"{kind} by the Gateway API",
            "istio",
            (f"samples/{name}/{kind}.yaml", f"samples/{gateway}-gateway.yaml"),
            _GATEWAY_API,
        )
    for name in ("helloworld", "httpbin"):
        paths = (f"samples/{name}/{name}.yaml", f"samples/{name}/{name}-gateway.yaml")
        yield Published(f"{name} behind its gateway", "istio", paths)
    tcp = ("samples/tcp-echo/tcp-echo-services.yaml", "samples/tcp-echo/tcp-echo-all-v1.yaml")
    port = "port 31400 is not one that a gateway opens by itself, as istioctl tells it (IST0162)"
    yield Published("tcp-echo", "istio", tcp, port)
    yield Published(
        "tcp-echo, 20 % to v2",
        "istio",
        (*tcp, "samples/tcp-echo/tcp-echo-20-v2.yaml"),
        f"{port}; the routes are replaced",
    )
    for title, *some in (
        ("external authorizer", "samples/extauthz/ext-authz.yaml"),
        ("external authorizer on the machine", "samples/extauthz/local-ext-authz.yaml"),
        ("keys of tokens", "samples/jwt-server/jwt-server.yaml"),
        (
            "OpenTelemetry",
            "samples/open-telemetry/otel.yaml",
            "samples/open-telemetry/tracing/telemetry.yaml",
        ),
        ("WebSockets", "samples/websockets/*"),
        ("grpc-echo", "samples/grpc-echo/grpc-echo.yaml"),
        ("rate limits", "samples/ratelimit/rate-limit-service.yaml"),
        ("external sites", "samples/external/*"),
        ("health checks", "samples/health-check/*"),
        ("bootstrap of one's own", "samples/custom-bootstrap/*"),
        ("curl and sleep", "samples/curl/curl.yaml", "samples/sleep/sleep.yaml"),
        ("add-ons", "samples/addons/*"),
    ):
        yield Published(title, "istio", tuple(some))
    local = ("samples/ratelimit/local-rate-limit-service.yaml",)
    yield Published("local rate limits", "istio", local, "as istioctl tells it (IST0151)")
    yield Published(
        "OpenTelemetry to Loki", "istio", ("samples/open-telemetry/loki/*",), namespace="istio-system"
    )
    for name in ("expose-services", "expose-istiod", "expose-istiod-https"):
        yield Published(
            f"several clusters, {name}", "istio", (f"samples/multicluster/{name}.yaml",), _EAST_WEST
        )


def _others() -> Iterator[Published]:
    shop = ("release/kubernetes-manifests.yaml", "release/istio-manifests.yaml")
    yield Published("Online Boutique with its Istio manifests", "boutique", shop, _GATEWAY_API)
    for name in ("kubernetes-manifests", "kustomize/base"):
        yield Published(f"Online Boutique, {name}", "boutique", (name,))
    yield Published(
        "Online Boutique with its first Istio manifests",
        "boutique",
        ("kubernetes-manifests", "istio-manifests/*"),
    )
    yield Published("net-istio with its gateways", "net-istio", ("config/*",))
    istio = "third_party/istio-latest/istio-ci-no-mesh/istio.yaml"
    yield Published("net-istio with Istio beside it", "net-istio", ("config/*", istio))
    core = (
        "config/core/*",
        "config/core/deployments/*",
        "config/core/webhooks/*",
        "config/core/configmaps/*",
    )
    yield Published("Serving", "serving", core)
    yield Published("Serving's net-istio", "serving", ("third_party/istio-latest/net-istio.yaml",))
    platform = (
        "common/istio/istio-crds/base",
        "common/istio/istio-namespace/base",
        "common/istio/istio-install/overlays/oauth2-proxy",
        "common/istio/kubeflow-istio-resources/base",
    )
    yield Published("Istio of the platform", "kubeflow", platform)
    dex, proxy = "common/dex/overlays/oauth2-proxy", "common/oauth2-proxy/overlays/m2m-dex-only"
    yield Published("dex behind oauth2-proxy", "kubeflow", (*platform, dex, proxy))
    knative = ("common/istio/cluster-local-gateway/base", "common/knative/knative-serving/overlays/gateways")
    yield Published("Knative of the platform", "kubeflow", (*platform, *knative))
    boards = (
        "applications/centraldashboard/overlays/oauth2-proxy",
        "applications/jupyter/jupyter-web-app/upstream/overlays/istio",
        "applications/volumes-web-app/upstream/overlays/istio",
        "applications/tensorboard/tensorboards-web-app/upstream/overlays/istio",
        "applications/profiles/upstream/overlays/kubeflow",
        "applications/katib/upstream/installs/katib-with-kubeflow",
    )
    yield Published("boards of the platform", "kubeflow", (*platform, *boards))


def texts(root: Path, published: Published) -> Iterator[tuple[str, str]]:
    """What is applied: its name and its text. Raises FileNotFoundError where the checkout has it no more."""
    for path in published.paths:
        if path.endswith("/*"):
            folder = root / path[:-2]
            files = sorted(
                one for one in folder.iterdir() if one.suffix in (".yaml", ".yml") and one.is_file()
            )
            yield from ((str(one.relative_to(root)), one.read_text()) for one in files)
        elif (root / path).is_dir():
            built = subprocess.run(
                ["kubectl", "kustomize", str(root / path)], capture_output=True, text=True, check=False
            )
            if built.returncode:
                raise FileNotFoundError(f"{path}: {built.stderr.strip().splitlines()[-1]}")
            yield path, built.stdout
        else:
            yield path, (root / path).read_text()


def judged(root: Path, published: Published) -> tuple[int, tuple[Problem, ...]]:
    """How many objects there are, and all that is said of them."""
    raws, broken = [], []
    for name, text in texts(root, published):
        objects, problems = parse_documents(text, name)
        raws += objects
        broken += problems
    return len(raws), analysis(
        tuple(raws), tuple(broken), Settings(default_namespace=published.namespace), datetime.now(UTC)
    )


def _line(published: Published, number: int, problems: tuple[Problem, ...]) -> str:
    counts = {
        severity: Counter(one.code for one in problems if one.severity is severity) for severity in Severity
    }
    shown = [
        ", ".join(f"{code} × {count}" for code, count in sorted(some.items())) for some in counts.values()
    ]
    return f"| {published.title} | {number} | {' | '.join(shown)} | {published.why} |"


def _called(name: str) -> str:
    return "{} at {}".format(*REPOSITORIES[name])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verbose", action="store_true")
    for name in REPOSITORIES:
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    roots = {name: getattr(asked, name) for name in REPOSITORIES}
    before = ""
    print("" if asked.verbose else _HEAD)
    for published in (*_istio(), *_others()):
        if published.repository != before and not asked.verbose:
            print(
                f"\n## {_called(published.repository)}\n\n| what | objects | errors | warnings | notes | why |\n|---|---|---|---|---|---|"
            )
        before = published.repository
        try:
            number, problems = judged(roots[published.repository], published)
        except FileNotFoundError as error:
            print(f"{published.title}: {error}", file=sys.stderr)
            continue
        if asked.verbose:
            print(
                f"## {published.title}",
                *(one for one in problems if one.severity is not Severity.INFO),
                sep="\n",
            )
        else:
            print(_line(published, number, problems))
    return 0


if __name__ == "__main__":
    sys.exit(main())
