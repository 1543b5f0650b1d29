"""ProxyConfig as its author writes it."""

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.proxy_config import ProxyConfigSpec


def test_no_thread_is_not_the_same_as_no_word():
    read = decoder_of(ProxyConfigSpec, Unknown.REFUSE)
    found = Findings(ResourceRef(kind="ProxyConfig", name="one"))
    assert read({"concurrency": 0}, "spec", found).concurrency == 0
    assert read({}, "spec", found).concurrency is None
    assert read({"environmentVariables": {"A": True}}, "spec", found).environment_variables == {"A": "true"}
    assert not found.problems
