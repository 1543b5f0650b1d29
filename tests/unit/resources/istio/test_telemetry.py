"""Telemetry as its author writes it."""

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.telemetry import CustomTag, FixedValue, TelemetrySpec


def test_what_is_left_out_says_nothing():
    """So that objects can lie over one another: false is not the same as unset."""
    found = Findings(ResourceRef(kind="Telemetry", name="one"))
    read = decoder_of(TelemetrySpec, Unknown.REFUSE)
    spec = read(
        {"tracing": [{"customTags": {"a": {"literal": {"value": "x"}}}}, {}], "accessLogging": [{}]},
        "spec",
        found,
    )
    assert not found.problems
    tagged, silent = spec.tracing
    assert tagged.custom_tags == {"a": CustomTag(literal=FixedValue(value="x"))}
    assert (silent.custom_tags, silent.random_sampling_percentage, silent.disable_span_reporting) == (
        None,
    ) * 3
    assert (spec.access_logging[0].disabled, spec.access_logging[0].match) == (None, None)
