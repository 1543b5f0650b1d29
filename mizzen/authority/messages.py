"""The two messages of Istio's certificate service (istio.v1.auth), declared here and built at import.

Two messages need no generated module. They live in a descriptor pool of their own, so that a program with
Istio's own messages can load both.
"""

from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

SERVICE = "istio.v1.auth.IstioCertificateService"
METHOD = "CreateCertificate"

_STRUCT = ".google.protobuf.Struct"


def _field(name: str, number: int, kind: "Field.Type.ValueType", **options: Any) -> Field:
    return Field(name=name, number=number, type=kind, **{"label": Field.LABEL_OPTIONAL, **options})


def _messages() -> tuple[Any, Any]:
    file = FileDescriptorProto(
        name="istio/v1/auth/ca.proto",
        package="istio.v1.auth",
        syntax="proto3",
        dependency=[struct_pb2.DESCRIPTOR.name],
    )
    request = file.message_type.add(name="IstioCertificateRequest")
    request.field.extend(
        [
            _field("csr", 1, Field.TYPE_STRING),  # PEM
            _field("validity_duration", 3, Field.TYPE_INT64),  # seconds
            _field("metadata", 4, Field.TYPE_MESSAGE, type_name=_STRUCT),
        ]
    )
    response = file.message_type.add(name="IstioCertificateResponse")
    response.field.append(_field("cert_chain", 1, Field.TYPE_STRING, label=Field.LABEL_REPEATED))
    pool = DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    found = pool.FindFileByName(file.name).message_types_by_name
    return GetMessageClass(found[request.name]), GetMessageClass(found[response.name])


# IstioCertificateRequest: csr, validity_duration, metadata. IstioCertificateResponse: cert_chain.
IstioCertificateRequest, IstioCertificateResponse = _messages()
