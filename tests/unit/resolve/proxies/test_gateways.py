"""Which gateways there are, and what their Services open."""

from datetime import timedelta

import pytest

from mizzen.resolve.proxies.gateways import proxies

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install, namespace: istio-system}
spec:
"""


def of(world, text, environment=()):
    return proxies(world(text), dict(environment), ())


def ports(proxy):
    return [(t.port, t.target_port, "udp" if t.udp else "tcp") for t in proxy.targets]


def test_without_an_operator_there_is_one_gateway_with_http3_on(world):
    [(proxy, switches, mesh)] = of(world, "")
    assert proxy.key == "istio-ingressgateway.istio-system"
    assert proxy.labels == {"app": "istio-ingressgateway", "istio": "ingressgateway"}
    assert ports(proxy) == [
        (15021, 15021, "tcp"),
        (80, 8080, "tcp"),
        (443, 8443, "tcp"),
        (443, 8443, "udp"),
    ]
    assert switches.quic_listeners
    assert mesh.connect_timeout == timedelta(seconds=10)


def test_the_environment_turns_http3_off_where_no_operator_speaks(world):
    [(_, switches, _)] = of(world, "", {"PILOT_ENABLE_QUIC_LISTENERS": "false"})
    assert not switches.quic_listeners


def test_with_an_operator_http3_is_off_until_somebody_turns_it_on(world):
    text = OPERATOR + "  components: {ingressGateways: [{name: gw, enabled: true}]}"
    assert not of(world, text)[0][1].quic_listeners
    assert of(world, text, {"PILOT_ENABLE_QUIC_LISTENERS": "1"})[0][1].quic_listeners


def test_what_the_operator_says_of_a_switch_outranks_the_environment(world):
    text = OPERATOR + "  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: false, PILOT_HTTP10: 'true'}}}"
    [(_, switches, _)] = of(world, text, {"PILOT_ENABLE_QUIC_LISTENERS": "true"})
    assert not switches.quic_listeners
    assert switches.http10


def test_a_switch_that_is_no_boolean_says_nothing(world):
    [(_, switches, _)] = of(world, "", {"PILOT_ENABLE_QUIC_LISTENERS": "yes"})
    assert switches.quic_listeners


def test_every_enabled_gateway_of_every_operator_counts(world):
    text = (
        OPERATOR
        + """
  components:
    ingressGateways:
    - {name: one, enabled: true}
    - {name: two, enabled: false}
    egressGateways:
    - {name: egress, enabled: true}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: later, namespace: istio-system}
spec:
  components: {ingressGateways: [{name: three, namespace: edge, label: {tier: public}}]}
"""
    )
    found = [proxy for proxy, _, _ in of(world, text)]
    assert [proxy.key for proxy in found] == ["one.istio-system", "three.edge"]
    assert found[1].labels == {"app": "three", "istio": "ingressgateway", "tier": "public"}


def test_an_operator_that_lists_no_gateway_brings_that_of_its_profile(world):
    text = OPERATOR + "  profile: "
    assert [p.key for p, _, _ in of(world, text + "default")] == ["istio-ingressgateway.istio-system"]
    assert of(world, text + "minimal") == ()


def test_the_operators_ports_replace_those_of_the_chart_tcp_and_udp_apart(world):
    text = (
        OPERATOR
        + """
  components:
    ingressGateways:
    - name: gw
      k8s:
        service:
          ports:
          - {name: https, port: 443, targetPort: 8443}
          - {name: http3, port: 443, targetPort: 8443, protocol: UDP}
          - {name: plain, port: 9000}
"""
    )
    [(proxy, _, _)] = of(world, text)
    assert ports(proxy) == [(443, 8443, "tcp"), (443, 8443, "udp"), (9000, 9000, "tcp")]


def test_ports_that_lead_to_one_target_by_one_protocol_all_count(world):
    text = (
        OPERATOR
        + """
  components:
    ingressGateways:
    - name: gw
      k8s:
        service:
          ports:
          - {name: https, port: 443, targetPort: 8443}
          - {name: https-too, port: 444, targetPort: 8443}
          - {name: tls, port: 445, targetPort: 8443}
"""
    )
    [(proxy, _, _)] = of(world, text)
    assert ports(proxy) == [(443, 8443, "tcp"), (444, 8443, "tcp"), (445, 8443, "tcp")]


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  ports:
  - {name: https, port: 443, targetPort: NUMBER}
---
"""


def test_a_service_of_the_world_takes_the_place_of_the_installations_own(world):
    text = SERVICE.replace("NAME", "istio-ingressgateway").replace("NUMBER", "9443")
    [(proxy, _, _)] = of(world, text)
    assert ports(proxy) == [(443, 9443, "tcp")]


def test_any_service_that_selects_the_gateway_adds_its_ports(world):
    text = SERVICE.replace("NAME", "more").replace("NUMBER", "9443")
    [(proxy, _, _)] = of(world, text)
    assert (443, 8443, "tcp") in ports(proxy)
    assert ports(proxy)[-1] == (443, 9443, "tcp")


def test_a_named_target_port_is_looked_up_in_the_gateways_containers(world):
    text = SERVICE.replace("NAME", "istio-ingressgateway").replace("NUMBER", "tls") + (
        """
apiVersion: v1
kind: Pod
metadata:
  {name: gw-1, namespace: istio-system, labels: {app: istio-ingressgateway, istio: ingressgateway}}
spec:
  nodeName: node-1
  serviceAccountName: edge
  containers:
  - name: proxy
    ports:
    - {name: tls, containerPort: 1443, protocol: UDP}
    - {name: tls, containerPort: 2443}
---
apiVersion: v1
kind: Node
metadata:
  name: node-1
  labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-1}
"""
    )
    [(proxy, _, _)] = of(world, text)
    assert ports(proxy) == [(443, 2443, "tcp")]
    assert (proxy.region, proxy.zone, proxy.node_name) == ("eu", "eu-1", "node-1")
    assert proxy.service_account == "edge"


def test_meta_variables_and_the_annotation_of_a_gateway_are_its_own(world):
    text = (
        OPERATOR
        + """
  meshConfig:
    accessLogFile: /dev/stdout
    defaultConfig:
      gatewayTopology: {numTrustedProxies: 1}
      proxyMetadata: {ISTIO_META_HTTP10: "1"}
  components:
    ingressGateways:
    - name: gw
      k8s:
        podAnnotations:
          proxy.istio.io/config: |
            gatewayTopology: {numTrustedProxies: 2}
        env:
        - {name: ISTIO_META_IDLE_TIMEOUT, value: 30s}
        - {name: ISTIO_META_UNPRIVILEGED_POD, value: "false"}
"""
    )
    [(proxy, _, mesh)] = of(world, text)
    assert proxy.config.gateway_topology.num_trusted_proxies == 2
    assert proxy.metadata["HTTP10"] == "1"
    assert proxy.metadata["IDLE_TIMEOUT"] == "30s"
    assert not proxy.unprivileged
    assert mesh.access_log_file == "/dev/stdout"


def test_meshes_of_several_operators_are_laid_over_each_other(world):
    text = (
        OPERATOR
        + """
  meshConfig: {accessLogFile: /dev/stdout, connectTimeout: 3s}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: later, namespace: istio-system}
spec:
  meshConfig: {connectTimeout: 4s, defaultConfig: {proxyHeaders: {server: {value: edge}}}}
"""
    )
    [(proxy, _, mesh)] = of(world, text)
    assert mesh.access_log_file == "/dev/stdout"
    assert mesh.connect_timeout == timedelta(seconds=4)
    assert proxy.config.proxy_headers.server.value == "edge"


@pytest.mark.parametrize(("text", "percent"), [("25", 25.0), ("", None), ("lots", None), ("101", None)])
def test_trace_sampling_is_a_percentage(world, text, percent):
    [(_, switches, _)] = of(world, "", {"PILOT_TRACE_SAMPLING": text})
    assert switches.trace_sampling == percent
