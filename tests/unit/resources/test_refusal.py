from mizzen.errors import ResourceRef
from mizzen.resources.intake import Intake, decode_all
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.refusal import hosts_of, refused_documents, refused_ref

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: shop}
spec: {hosts: [a.test, 1, b.test], resolution: NOWHERE}
"""
UNREADABLE = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {"


def test_the_hosts_of_an_object_with_errors_are_known_as_far_as_they_can_be_read() -> None:
    (raw,), _ = parse_documents(ENTRY, "in.yaml")

    world, _ = decode_all([raw])

    assert hosts_of(raw) == ("a.test", "b.test")
    assert world.refused_of("ServiceEntry") == {
        refused_ref("ServiceEntry", "shop", "a"): ("a.test", "b.test")
    }
    assert world.refused_of("Gateway") == {}


def test_an_object_whose_document_cannot_be_read_is_there() -> None:
    raws, broken = parse_documents(UNREADABLE, "in.yaml")

    world, _ = decode_all(raws, broken=broken)

    assert world.is_refused(refused_ref("Gateway", "default", "a"))
    assert refused_documents([], "default") == {}


def test_a_kind_of_another_group_is_another_object() -> None:
    raws, _ = parse_documents(
        "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: a}}", ""
    )

    world, _ = decode_all(raws)

    assert not world.is_refused(refused_ref("Gateway", "default", "a"))
    assert world.is_refused(
        ResourceRef(kind="Gateway", group="gateway.networking.k8s.io", namespace="default", name="a")
    )


def test_a_good_object_of_the_name_takes_part() -> None:
    raws, broken = parse_documents(
        "{apiVersion: v1, kind: Secret, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: a",
        "in.yaml",
    )
    intake = Intake()

    intake.update(raws, (), broken)

    assert intake.world.refused_of("Secret") == {}
