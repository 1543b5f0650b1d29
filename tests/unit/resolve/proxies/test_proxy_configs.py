"""Settings of proxies that are chosen by namespace and labels."""

from mizzen.resolve.proxies.gateways import proxies, sidecars

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
  meshConfig: {rootNamespace: root, defaultConfig: {concurrency: 1, proxyMetadata: {ISTIO_META_A: mesh, ISTIO_META_B: mesh}}}
  components: {ingressGateways: [{name: gw, namespace: edge, k8s: {podAnnotations: {proxy.istio.io/config: ANNOTATION}}}]}
"""


def proxy_config(name, namespace, spec, created=""):
    stamp = f", creationTimestamp: '{created}'" if created else ""
    return f"""
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {{name: {name}, namespace: {namespace}{stamp}}}
spec: {spec}
"""


def made(world, *objects, annotation="''"):
    text = OPERATOR.replace("ANNOTATION", annotation) + "".join(objects)
    [(proxy, _, _)] = proxies(world(text), {}, ())
    return proxy.config.concurrency, dict(proxy.metadata)


def test_the_mesh_then_the_namespace_then_the_labels_then_the_annotation(world):
    root = proxy_config("all", "root", "{concurrency: 2, environmentVariables: {ISTIO_META_B: root}}")
    wide = proxy_config("wide", "edge", "{environmentVariables: {ISTIO_META_C: wide}}")
    own = proxy_config(
        "own",
        "edge",
        "{selector: {matchLabels: {app: gw}}, concurrency: 0, environmentVariables: {ISTIO_META_C: own}}",
    )
    assert made(world) == (1, {"A": "mesh", "B": "mesh"})
    assert made(world, root) == (2, {"A": "mesh", "B": "root"})
    assert made(world, root, wide) == (2, {"A": "mesh", "B": "root", "C": "wide"})
    assert made(world, root, wide, own) == (0, {"A": "mesh", "B": "root", "C": "own"})
    annotation = "'{concurrency: 7, proxyMetadata: {ISTIO_META_C: annotation}}'"
    assert made(world, root, own, annotation=annotation) == (7, {"A": "mesh", "B": "root", "C": "annotation"})


def test_others_have_no_say(world):
    other = proxy_config("a", "edge", "{selector: {matchLabels: {app: other}}, concurrency: 9}")
    elsewhere = proxy_config("b", "default", "{concurrency: 9}")
    in_root = proxy_config("c", "root", "{selector: {matchLabels: {app: gw}}, concurrency: 9}")
    assert made(world, other, elsewhere, in_root)[0] == 1


def test_of_several_the_oldest_counts(world):
    objects = (
        proxy_config("a", "edge", "{concurrency: 3}", "2026-01-02T00:00:00Z"),
        proxy_config(
            "b", "edge", "{concurrency: 4, environmentVariables: {ISTIO_META_C: b}}", "2026-01-01T00:00:00Z"
        ),
    )
    assert made(world, *objects) == (4, {"A": "mesh", "B": "mesh", "C": "b"})


def test_sidecars_have_theirs(world):
    workload = """
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 127.0.0.1, labels: {app: shop}}
"""
    own = proxy_config(
        "own",
        "shop",
        "{selector: {matchLabels: {app: shop}}, environmentVariables: {ISTIO_META_HTTP10: '1'}}",
    )
    text = OPERATOR.replace("ANNOTATION", "''") + workload + own
    [(proxy, _, _)] = sidecars(world(text), {}, frozenset({"shop/vm"}))
    assert proxy.metadata["HTTP10"] == "1"
