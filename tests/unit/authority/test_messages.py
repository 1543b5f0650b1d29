"""The messages of Istio's certificate service, byte by byte."""

from mizzen.authority.messages import IstioCertificateRequest, IstioCertificateResponse


def test_requests_have_the_numbers_of_istio() -> None:
    request = IstioCertificateRequest(csr="x", validity_duration=5, metadata={"a": "b"})

    data = request.SerializeToString()

    assert data.startswith(b"\x0a\x01x\x18\x05\x22")
    assert IstioCertificateRequest.FromString(data).metadata["a"] == "b"


def test_a_response_is_a_list_of_texts() -> None:
    assert IstioCertificateResponse(cert_chain=["a", "b"]).SerializeToString() == b"\x0a\x01a\x0a\x01b"


def test_istios_own_messages_can_be_loaded_beside_ours() -> None:
    from google.protobuf.descriptor_pool import Default

    assert IstioCertificateRequest.DESCRIPTOR.file.pool is not Default()
