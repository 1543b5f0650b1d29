import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mizzen.install.changes import as_yaml
from mizzen.install.declaring import declared
from mizzen.install.manifests import Unfit, manifests, stages
from mizzen.install.profiles import PROFILES
from mizzen.resources.raw_objects import parse_documents
from tests.unit.install.conftest import render

HERE = Path(__file__).parent
GOLDEN = HERE / "walkthrough.golden.yaml"

One = Callable[..., dict[str, Any]]


def walkthrough() -> str:
    objects, _ = parse_documents((HERE / "walkthrough.yaml").read_text(), "istio.yaml")
    found = declared(objects)
    assert found.operator is not None
    assert found.problems == ()
    return "---\n".join(as_yaml(one) for one in manifests(found.operator, found.mesh, version="1.2.3"))


def test_the_walkthrough_leads_to_these_manifests(request: pytest.FixtureRequest) -> None:
    made = walkthrough()
    if request.config.getoption("--golden"):
        GOLDEN.write_text(made)
    assert made == GOLDEN.read_text()


def test_the_walkthroughs_service_has_one_number_under_two_protocols() -> None:
    made = [*yaml.safe_load_all(walkthrough())]
    (service,) = [
        m for m in made if m["kind"] == "Service" and m["metadata"]["name"] == "istio-ingressgateway"
    ]

    assert service["spec"]["type"] == "LoadBalancer"
    ports = [f"{port['port']}/{port['protocol']}" for port in service["spec"]["ports"]]
    assert ports == ["15021/TCP", "443/TCP", "443/UDP"]


def test_the_same_declaration_gives_the_same_bytes() -> None:
    assert walkthrough() == walkthrough()


PORT = st.tuples(st.integers(1, 5), st.sampled_from(["TCP", "UDP"]))


@given(st.lists(PORT, min_size=1, max_size=8, unique=True))
def test_ports_are_keyed_by_number_and_protocol(ports: list[tuple[int, str]]) -> None:
    said = ", ".join(
        f"{{name: p{at}, port: {number}, protocol: {protocol}, targetPort: {8000 + number % 3}}}"
        for at, (number, protocol) in enumerate(ports)
    )
    made = render(
        f"{{components: {{ingressGateways: [{{name: istio-ingressgateway, k8s: {{service: {{ports: [{said}]}}}}}}]}}}}"
    )
    (service,) = [m for m in made if m["kind"] == "Service" and m["spec"]["type"] == "LoadBalancer"]
    (container,) = [
        m["spec"]["template"]["spec"]["containers"][0]
        for m in made
        if m["kind"] == "Deployment" and m["metadata"]["name"] == "istio-ingressgateway"
    ]

    assert [(port["port"], port["protocol"]) for port in service["spec"]["ports"]] == ports
    opened = [(port["containerPort"], port["protocol"]) for port in container["ports"]]
    assert len(opened) == len(set(opened))
    assert {(8000 + number % 3, protocol) for number, protocol in ports} <= set(opened)


def test_no_two_manifests_are_one_object_and_what_is_referred_to_comes_first() -> None:
    made = render("{profile: demo, values: {global: {networkPolicy: {enabled: true}}}}")

    keys = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in made]
    assert len(keys) == len(set(keys))
    order = [component for component, _ in stages(made)]
    assert order == ["Base", "Pilot", "IngressGateways", "EgressGateways"]
    for before, after in (("Namespace", "ServiceAccount"), ("ServiceAccount", "Deployment")):
        assert keys.index(next(k for k in keys if k[0] == before)) < keys.index(
            next(k for k in keys if k[0] == after)
        )


@pytest.mark.parametrize(
    ("profile", "deployments"),
    [
        ("default", {"istiod", "istio-ingressgateway"}),
        ("minimal", {"istiod"}),
        ("demo", {"istiod", "istio-ingressgateway", "istio-egressgateway"}),
        ("empty", set()),
    ],
)
def test_a_profile_says_what_is_installed(profile: str, deployments: set[str]) -> None:
    assert profile in PROFILES
    made = render(f"{{profile: {profile}}}")
    assert {m["metadata"]["name"] for m in made if m["kind"] == "Deployment"} == deployments


def test_without_a_file_the_gateway_speaks_http3(one: One) -> None:
    made = render()

    ports = one(made, "Service", "istio-ingressgateway")["spec"]["ports"]
    assert (443, "UDP") in [(port["port"], port["protocol"]) for port in ports]
    env = one(made, "Deployment", "istiod")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "PILOT_ENABLE_QUIC_LISTENERS", "value": "true"} in env


def test_a_file_alone_opens_no_udp_port(one: One) -> None:
    ports = one(render("{}"), "Service", "istio-ingressgateway")["spec"]["ports"]

    assert [(port["port"], port["protocol"]) for port in ports] == [
        (15021, "TCP"),
        (80, "TCP"),
        (443, "TCP"),
    ]


def test_what_the_mesh_says_of_proxies_reaches_gateways(one: One) -> None:
    made = render(
        "{meshConfig: {defaultConfig: {concurrency: 2, drainDuration: 45s, proxyMetadata: {A: mesh, B: mesh}}},"
        " components: {ingressGateways: [{name: edge, enabled: true, k8s: {env: [{name: B, value: own}]}}]}}"
    )
    (container,) = one(made, "Deployment", "edge")["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env["PROXY_CONFIG"] == '{"concurrency": 2, "drainDuration": "45s"}'
    assert (env["A"], env["B"]) == ("mesh", "own")


def test_a_revision_is_in_the_names_of_the_control_plane_and_in_no_gateways(one: One) -> None:
    made = render("{revision: canary}")

    names = {(m["kind"], m["metadata"]["name"]) for m in made}
    assert {
        ("Deployment", "istiod-canary"),
        ("Service", "istiod-canary"),
        ("ConfigMap", "istio-canary"),
        ("ConfigMap", "istio-sidecar-injector-canary"),
        ("MutatingWebhookConfiguration", "istio-sidecar-injector-canary"),
        ("ValidatingWebhookConfiguration", "istio-validator-canary-istio-system"),
        ("ClusterRole", "istiod-clusterrole-canary-istio-system"),
        ("Deployment", "istio-ingressgateway"),
    } <= names
    assert {m["metadata"]["labels"].get("istio.io/rev") for m in made if m["kind"] != "Namespace"} == {
        "canary"
    }
    hooks = one(made, "MutatingWebhookConfiguration", "istio-sidecar-injector-canary")["webhooks"]
    assert [hook["name"] for hook in hooks] == [
        "rev.namespace.sidecar-injector.istio.io",
        "rev.object.sidecar-injector.istio.io",
    ]
    mesh = yaml.safe_load(one(made, "ConfigMap", "istio-canary")["data"]["mesh"])
    assert mesh["defaultConfig"]["discoveryAddress"] == "istiod-canary.istio-system.svc:15012"


def test_two_revisions_share_no_object_of_the_control_plane() -> None:
    def keys(spec: str) -> set[tuple[str, str]]:
        return {
            (m["kind"], m["metadata"]["name"])
            for m in render(spec)
            if m["metadata"]["labels"]["operator.istio.io/component"] == "Pilot"
        }

    assert not keys("{profile: minimal}") & keys("{profile: minimal, revision: canary}")


def test_secrets_are_read_only_where_gateways_are() -> None:
    made = render("{components: {ingressGateways: [{name: edge, namespace: shop}]}}")

    def reads_secrets(manifest: dict[str, Any]) -> bool:
        return any("secrets" in rule["resources"] for rule in manifest.get("rules", ()))

    assert not any(reads_secrets(m) for m in made if m["kind"] == "ClusterRole")
    roles = {(m["metadata"]["namespace"], m["metadata"]["name"]) for m in made if reads_secrets(m)}
    assert roles == {
        ("istio-system", "istiod"),
        ("istio-system", "istio-ingressgateway-sds"),
        ("shop", "istiod-secrets"),
        ("shop", "edge-sds"),
    }
    for manifest in made:
        for rule in manifest.get("rules", ()):
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]


def test_no_container_may_do_more_than_it_needs() -> None:
    pods = [m["spec"]["template"]["spec"] for m in render("{profile: demo}") if m["kind"] == "Deployment"]

    for pod in pods:
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert security["runAsNonRoot"]
        assert security["readOnlyRootFilesystem"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert not security["allowPrivilegeEscalation"]
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is (container["name"] == "discovery")


def test_what_k8s_says_of_a_component_reaches_its_manifests(one: One) -> None:
    made = render(
        """{components: {pilot: {k8s: {
            resources: {requests: {cpu: 1}}, env: [{name: A, value: b}, {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}],
            hpaSpec: {minReplicas: 2, maxReplicas: 4}, affinity: {nodeAffinity: {}}, nodeSelector: {a: b},
            podAnnotations: {x: y}, podLabels: {l: m}, serviceAnnotations: {s: t}, tolerations: [{operator: Exists}],
            priorityClassName: high, imagePullPolicy: Never, strategy: {type: Recreate},
            readinessProbe: {tcpSocket: {port: 8080}}, volumes: [{name: v, emptyDir: {}}],
            volumeMounts: [{name: v, mountPath: /v}], securityContext: {fsGroup: 7},
            overlays: [{kind: Deployment, name: istiod, patches: [
              {path: "spec.template.spec.containers.[name:discovery].args.[-1]", value: --other}]}]}}}}"""
    )
    deployment = one(made, "Deployment", "istiod")["spec"]
    template = deployment["template"]
    (container,) = template["spec"]["containers"]

    assert "replicas" not in deployment
    assert deployment["strategy"] == {"type": "Recreate"}
    assert container["args"] == ["pilot", "--other"]
    assert container["resources"] == {"requests": {"cpu": "1"}}
    assert container["imagePullPolicy"] == "Never"
    assert {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}} in container["env"]
    assert "httpGet" not in container["readinessProbe"]
    assert {"name": "v", "mountPath": "/v"} in container["volumeMounts"]
    assert template["metadata"]["annotations"]["x"] == "y"
    assert template["metadata"]["labels"]["l"] == "m"
    assert template["spec"]["securityContext"]["fsGroup"] == 7
    assert template["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert template["spec"]["priorityClassName"] == "high"
    assert one(made, "HorizontalPodAutoscaler", "istiod")["spec"]["minReplicas"] == 2
    assert one(made, "PodDisruptionBudget", "istiod")["spec"]["minAvailable"] == 1
    assert one(made, "Service", "istiod")["metadata"]["annotations"] == {"s": "t"}


def test_a_number_of_replicas_takes_the_autoscalers_place(one: One) -> None:
    made = render("{components: {ingressGateways: [{name: istio-ingressgateway, k8s: {replicaCount: 3}}]}}")

    assert one(made, "Deployment", "istio-ingressgateway")["spec"]["replicas"] == 3
    kinds = {m["kind"] for m in made if m["metadata"]["name"] == "istio-ingressgateway"}
    assert "HorizontalPodAutoscaler" not in kinds
    assert "PodDisruptionBudget" in kinds


def test_an_overlay_that_fits_nothing_is_told_with_its_place() -> None:
    spec = "{components: {pilot: {k8s: {overlays: [{kind: Pod, name: x, patches: [{path: a, value: 1}]}]}}}}"
    with pytest.raises(Unfit) as caught:
        render(spec)
    assert caught.value.problem.code == "INS-003"
    assert str(caught.value).startswith("0.yaml:1:")


@pytest.mark.parametrize(
    "patch",
    ["{path: metadata.name, value: x}", "{path: metadata.labels}", "{path: metadata}", "{path: kind}"],
)
def test_an_overlay_does_not_change_by_what_an_object_is_found_again(patch: str) -> None:
    overlays = f"overlays: [{{kind: Deployment, name: istiod, patches: [{patch}]}}]"
    with pytest.raises(Unfit) as caught:
        render(f"{{components: {{pilot: {{k8s: {{{overlays}}}}}}}}}")
    assert "known" in str(caught.value)


def test_crds_come_first_and_belong_to_no_revision() -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gateways.networking.istio.io"},
        "spec": {},
    }
    made = render("{}", crds=(crd,))

    assert made[0]["metadata"]["name"] == "gateways.networking.istio.io"
    assert made[0]["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "mizzen",
        "operator.istio.io/component": "Base",
    }
    assert "labels" not in crd["metadata"]


def test_the_image_is_of_the_component_then_of_the_whole_then_of_the_values(one: One) -> None:
    made = render(
        "{components: {pilot: {tag: 1.10}}, values: {global: {hub: unused, tag: unused}}}",
    )

    def image(name: str) -> str:
        return str(one(made, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"])

    assert image("istiod") == "registry.example/mizzen:1.1"  # as YAML reads 1.10
    assert image("istio-ingressgateway") == "registry.example/mizzen:1"
    values = one(made, "ConfigMap", "istio-sidecar-injector")["data"]["values"]
    assert '"hub": "registry.example"' in values


def test_the_order_of_sets_does_not_change_what_they_do_not_touch() -> None:
    sets = ["hub=h", "tag=t", "values.pilot.env.A=1", "values.global.imagePullPolicy=Never"]
    first = render(sets=tuple(sets))
    random.Random(1).shuffle(sets)

    assert render(sets=tuple(sets)) == first


def flowing(text: str) -> str:
    """The same YAML on one line."""
    return yaml.safe_dump(yaml.safe_load(text), default_flow_style=True, width=10_000).strip()


VALUES = flowing("""
values:
  revision: canary
  meshConfig: {accessLogFile: /dev/stdout, connectTimeout: 3s}
  pilot: {nodeSelector: {disk: ssd}, podAnnotations: {a: b}}
  global: {istioNamespace: mesh, proxy: {resources: {requests: {cpu: 10m}}}}
  gateways:
    istio-ingressgateway:
      type: NodePort
      labels: {team: edge}
      ports: [{name: https, port: 443, targetPort: 8443, nodePort: 30443}]
      serviceAnnotations: {x: y}
      loadBalancerSourceRanges: [10.0.0.0/8]
      externalIPs: [192.0.2.1]
      env: {A: 1}
      resources: {limits: {cpu: 1}}
      autoscaleMin: 2
      autoscaleMax: 3
      cpu: {targetAverageUtilization: 50}
      rollingMaxSurge: 1
      secretVolumes: [{name: mine, secretName: mine-certs, mountPath: /etc/mine}]
meshConfig: {connectTimeout: 5s}
""")


def test_values_of_charts_lie_below_the_components(one: One) -> None:
    made = render(VALUES)
    service = one(made, "Service", "istio-ingressgateway")
    assert service["metadata"]["namespace"] == "mesh"
    assert service["metadata"]["annotations"] == {"x": "y"}
    spec = service["spec"]
    assert (spec["type"], spec["externalIPs"], spec["loadBalancerSourceRanges"]) == (
        "NodePort",
        ["192.0.2.1"],
        ["10.0.0.0/8"],
    )
    assert [(port["port"], port["nodePort"]) for port in spec["ports"]] == [(443, 30443)]
    assert spec["selector"]["team"] == "edge"
    workload = one(made, "Deployment", "istio-ingressgateway")["spec"]
    [container] = workload["template"]["spec"]["containers"]
    assert {"name": "A", "value": "1"} in container["env"]
    assert container["resources"] == {"limits": {"cpu": "1"}}
    assert {"name": "mine", "mountPath": "/etc/mine", "readOnly": True} in container["volumeMounts"]
    assert workload["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": "25%"}
    scaler = one(made, "HorizontalPodAutoscaler", "istio-ingressgateway")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 3)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    pilot = one(made, "Deployment", "istiod-canary")["spec"]["template"]
    assert pilot["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert pilot["metadata"]["annotations"]["a"] == "b"
    mesh = yaml.safe_load(one(made, "ConfigMap", "istio-canary")["data"]["mesh"])
    assert (mesh["accessLogFile"], mesh["connectTimeout"]) == ("/dev/stdout", "5s")


def test_a_component_says_more_than_the_values(one: One) -> None:
    env = '[{name: A, value: "2"}]'
    k8s = f"{{replicaCount: 4, service: {{type: ClusterIP}}, env: {env}}}"
    said = f"{{name: istio-ingressgateway, label: {{team: shop}}, k8s: {k8s}}}"
    made = render(VALUES, f"{{components: {{ingressGateways: [{said}]}}}}")
    assert one(made, "Service", "istio-ingressgateway")["spec"]["type"] == "ClusterIP"
    workload = one(made, "Deployment", "istio-ingressgateway")["spec"]
    assert workload["replicas"] == 4
    assert workload["selector"]["matchLabels"]["team"] == "shop"
    variables = workload["template"]["spec"]["containers"][0]["env"]
    assert [one["value"] for one in variables if one["name"] == "A"] == ["2"]
