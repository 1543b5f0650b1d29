"""Which gateways there are."""

from mizzen.resolve.proxies.declared import declared_gateways, own_config
from mizzen.resolve.proxies.gateways import proxies

CHART = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingress, namespace: edge}
spec:
  template:
    metadata:
      annotations: {inject.istio.io/templates: gateway, proxy.istio.io/config: "concurrency: 1"}
      labels: {istio: ingress, pod-template-hash: abc}
    spec:
      serviceAccountName: chart
      containers:
      - name: istio-proxy
        image: auto
        ports: [{name: web, containerPort: 80}]
        env: [{name: ISTIO_META_HTTP10, value: "1"}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingress}
  ports: [{name: http, port: 80, targetPort: web}, {name: https, port: 443, targetPort: 443}]
"""
OPERATOR = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {components: {ingressGateways: [%s]}}
"""
OWN = "{name: istio-ingress, namespace: edge, enabled: true, label: {team: web}, k8s: {env: [{name: ISTIO_META_A, value: a}]}}"


def of(world, text):
    return [one for one, _, _ in proxies(world(text), {}, ())]


def ports(proxy):
    return [(target.port, target.target_port) for target in proxy.targets]


def test_a_chart_takes_the_place_of_the_built_in_gateway(world):
    [proxy] = of(world, CHART + SERVICE)
    assert (proxy.key, proxy.service_account, proxy.labels) == (
        "istio-ingress.edge",
        "chart",
        {"istio": "ingress"},
    )
    assert ports(proxy) == [(80, 80), (443, 443)]
    assert not proxy.unprivileged
    assert proxy.metadata == {"HTTP10": "1"}
    assert proxy.config.concurrency == 1


def test_a_chart_without_a_service_opens_nothing_by_itself(world):
    [proxy] = of(world, CHART)
    assert ports(proxy) == []


def test_a_gateway_that_says_that_it_is_unprivileged_is(world):
    [proxy] = of(world, CHART.replace("ISTIO_META_HTTP10", "ISTIO_META_UNPRIVILEGED_POD") + SERVICE)
    assert proxy.unprivileged


def test_an_operator_and_a_chart_of_one_name_are_one_gateway(world):
    [proxy] = of(world, CHART + SERVICE + OPERATOR % OWN)
    assert ports(proxy) == [(80, 80), (443, 443)]
    assert proxy.metadata == {"A": "a", "HTTP10": "1"}
    assert proxy.labels == {"app": "istio-ingress", "istio": "ingress", "team": "web"}
    assert not proxy.unprivileged


def test_an_operator_beside_the_service_alone_may_bind_what_that_opens(world):
    own = OWN.replace("{team: web}", "{istio: ingress}")
    text = SERVICE.replace("targetPort: web", "targetPort: 80").replace("front", "istio-ingress")
    [proxy] = of(world, text + OPERATOR % own)
    assert ports(proxy) == [(80, 80), (443, 443)]
    assert not proxy.unprivileged


def test_other_gateways_of_an_operator_stand_beside_it(world):
    text = CHART + OPERATOR % "{name: other, enabled: true}"
    assert [one.key for one in of(world, text)] == ["other.istio-system", "istio-ingress.edge"]


def test_an_operator_that_lists_none_brings_none_beside_a_chart(world):
    assert [one.key for one in of(world, CHART + OPERATOR % "")] == ["istio-ingress.edge"]
    assert [one.key for one in of(world, OPERATOR % "")] == ["istio-ingressgateway.istio-system"]


def test_scaled_to_0_there_is_none(world):
    off = CHART.replace("spec:\n  template", "spec:\n  replicas: 0\n  template", 1)
    assert of(world, off) == []
    assert of(world, off + OPERATOR % OWN) == []


def test_a_configuration_that_cannot_be_read_is_told_of_where_it_stands(world):
    broken = CHART.replace("concurrency: 1", "concurrency: [")
    [gateway] = declared_gateways(world(broken))
    config, [problem] = own_config(gateway)
    assert problem.code == "GW-008"
    assert str(problem.resource) == "Deployment/edge/istio-ingress"
    assert problem.field == "spec.template.metadata.annotations[proxy.istio.io/config]"
    assert config.concurrency != 1


def test_the_operators_configuration_is_told_of_there(world):
    own = OWN.replace("k8s: {", "k8s: {podAnnotations: {proxy.istio.io/config: '['}, ")
    plain = CHART.replace(', proxy.istio.io/config: "concurrency: 1"', "")
    [gateway] = declared_gateways(world(plain + OPERATOR % own))
    [problem] = own_config(gateway)[1]
    assert problem.resource.kind == "IstioOperator"
