"""The providers of a mesh."""

from mizzen.resources.istio.provider import ExtensionProvider, FileLogProvider, provider


def test_a_name_is_looked_up_without_its_case_and_goes_before_those_that_istio_brings():
    own = ExtensionProvider(name="Envoy", envoy_file_access_log=FileLogProvider(path="/log"))
    assert provider((own,), "envoy") is own
    built_in = provider((), "envoy")
    assert built_in is not None
    assert built_in.envoy_file_access_log == FileLogProvider(path="/dev/stdout")
    assert provider((own,), "other") is None
