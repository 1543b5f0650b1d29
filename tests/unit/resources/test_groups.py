"""Two groups may each have a kind of one name: their objects are never the same, wherever that matters."""

import itertools

import pytest

from mizzen.blame.ledger import Entry, Ledger, content_of
from mizzen.pipeline import Settings, build
from mizzen.resources.decode import identify
from mizzen.resources.kinds import KINDS, group_of, is_ours, meant
from mizzen.resources.raw_objects import parse_documents

OURS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
OTHERS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec: {gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}
"""


@pytest.mark.parametrize("order", list(itertools.permutations([OURS, OTHERS])))
def test_a_gateway_of_another_group_takes_nobodys_place(order: tuple[str, ...]) -> None:
    objects, problems = parse_documents("---\n".join(order), "all.yaml")
    made = build(objects, problems, Settings())

    assert [one.name for one in made.world.gateways] == ["shop"]
    assert "META-002" not in {problem.code for problem in made.problems}
    assert len(made.gateways[0].model.listeners) == 1


def test_setting_one_aside_leaves_the_other() -> None:
    ours, others = parse_documents(f"{OURS}---\n{OTHERS}", "all.yaml")[0]
    assert identify(ours, "default") != identify(others, "default")
    for one in (ours, others):
        entry = Entry(ref=identify(one, "default"), content=content_of(one), reason="no")
        marked = tuple(map(Ledger().with_entries([entry]).applied_to, (ours, others)))

        assert [bool(raw.aside) for raw in marked] == [one is ours, one is others]


def test_every_kind_is_looked_up_by_group_and_name() -> None:
    for name, kind in KINDS.items():
        assert meant(name, kind.api_version) is kind
        assert meant(name, "example.org/v1") is None
        assert group_of(name, "example.org/v1") == "example.org"
        (raw,) = parse_documents(
            f"apiVersion: example.org/v1\nkind: {name}\nmetadata: {{name: a}}\n", "a.yaml"
        )[0]
        assert not is_ours(identify(raw, "default"))
