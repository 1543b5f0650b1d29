"""The messages of the pinned Envoy that mizzen itself does not make: whatever else an EnvoyFilter may speak of.

Their descriptors (`others.binpb`, written by scripts/generate_api.py) are read when somebody asks for one of them, which
nobody does who has no EnvoyFilter.
"""

import importlib
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from mizzen._api import pb as pb  # its files come first: these build upon them

_FILES = Path(__file__).with_name("others.binpb")


@cache
def load() -> None:
    """Put all of them into protobuf's own pool."""
    pool = descriptor_pool.Default()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_FILES.read_bytes()).file:
        for name in file.dependency:
            if name.startswith("google/"):  # of other distributions, which have them as modules
                importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        pool.AddSerializedFile(file.SerializeToString())


def class_of(full_name: str) -> type[Message] | None:
    """The class of a message by its full name; None where the pinned Envoy has none of that name."""
    return _known(full_name) or _of_all(full_name)


def _of_all(full_name: str) -> type[Message] | None:
    load()
    return _known(full_name)


def _known(full_name: str) -> type[Message] | None:
    try:
        return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))
    except KeyError:
        return None
