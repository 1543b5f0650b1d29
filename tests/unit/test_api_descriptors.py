"""The generated messages are those of the installed Envoy."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import any_pb2, descriptor_pool, json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from mizzen._api import others, pb

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_api", ROOT / "scripts" / "generate_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_api"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def committed(generator: ModuleType) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(generator.DESCRIPTORS.read_bytes())


def test_the_installed_envoy_has_the_descriptors_we_generated_from(
    generator: ModuleType, committed: FileDescriptorSet
) -> None:
    installed = {file.name: file for file in generator.extract().file}
    ours = {file.name: file for file in committed.file}

    assert sorted(ours) == sorted(installed)
    assert [name for name in ours if ours[name] != installed[name]] == []


def test_the_rest_of_its_api_is_there_too(generator: ModuleType, committed: FileDescriptorSet) -> None:
    kept = FileDescriptorSet.FromString(generator.OTHERS.read_bytes())

    assert kept == generator.extract_others(committed)
    assert {file.name for file in kept.file}.isdisjoint(file.name for file in committed.file)


def test_a_message_that_mizzen_does_not_make_is_known_when_it_is_asked_for() -> None:
    assert others.class_of("envoy.config.cluster.v3.Cluster") is pb.Cluster
    assert others.class_of("envoy.extensions.filters.http.oauth2.v3.OAuth2") is not None
    assert others.class_of("envoy.not.There") is None


def test_the_generated_code_has_the_descriptors_we_generated_from(committed: FileDescriptorSet) -> None:
    pool = descriptor_pool.Default()
    different = []
    for file in committed.file:
        loaded = FileDescriptorProto()
        pool.FindFileByName(file.name).CopyToProto(loaded)
        if _normal(loaded) != _normal(file):
            different.append(file.name)

    assert different == []


def test_the_short_names_are_current(generator: ModuleType, committed: FileDescriptorSet) -> None:
    assert (generator.API / "pb.py").read_text() == generator.short_names(committed)


def test_a_changed_descriptor_is_noticed(generator: ModuleType) -> None:
    """The scan reads the binary, not our copy: a binary without a file it should hold is an error."""
    with pytest.raises(KeyError):
        generator.closure(generator.embedded_descriptors(b"no descriptors here"), generator.ROOTS)


def test_two_messages_of_one_short_name_are_refused(generator: ModuleType) -> None:
    files = FileDescriptorSet()
    for package in ("a.v3", "b.v3"):
        file = files.file.add(name=f"{package}.proto", package=package)
        file.message_type.add(name="Config")

    with pytest.raises(ValueError, match=re.escape("pb.Config")):
        generator.short_names(files)


def test_messages_inside_an_any_are_known_to_the_json_mapping() -> None:
    transport = pb.QuicDownstreamTransport(enable_early_data=pb.BoolValue(value=False))
    packed = any_pb2.Any()
    packed.Pack(transport)

    as_json = json_format.MessageToDict(packed)

    assert as_json == {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
        "enableEarlyData": False,
    }


def test_validation_rules_survive_generation() -> None:
    """protoc-gen-validate's options (field 1071) let us check a message before Envoy refuses it."""
    name = pb.Cluster.DESCRIPTOR.fields_by_name["name"]

    assert name.GetOptions().SerializeToString() != b""


def _normal(file: FileDescriptorProto) -> bytes:
    """Without json_name: a pool fills it in, and the embedded descriptors may leave it out."""
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    messages = list(copy.message_type)
    while messages:
        message = messages.pop()
        messages.extend(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")
    for extension in copy.extension:
        extension.ClearField("json_name")
    return copy.SerializeToString(deterministic=True)
