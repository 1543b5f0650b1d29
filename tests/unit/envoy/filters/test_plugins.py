"""Plugins as filters of Envoy."""

from mizzen._api import pb
from mizzen.envoy.filters.plugins import filter_of
from mizzen.errors import ResourceRef
from mizzen.model.plugin import Phase, Plugin

REF = ResourceRef(kind="WasmPlugin", name="a")


def test_a_module_is_run_in_v8_and_told_what_it_is_for():
    plugin = Plugin(
        name="ns.a",
        kind="wasm",
        phase=Phase.AUTHN,
        code=b"\0asm",
        digest="d",
        root="r",
        configuration="{}",
        env=(("A", "b"),),
        host_env=("C",),
        failure="open",
        origin=REF,
    )
    config = pb.Wasm()
    assert filter_of(plugin).typed_config.Unpack(config)
    assert config.config.failure_policy == pb.FailurePolicy.FAIL_OPEN
    assert config.config.vm_config.runtime == "envoy.wasm.runtime.v8"
    assert config.config.vm_config.code.local.inline_bytes == b"\0asm"
    assert dict(config.config.vm_config.environment_variables.key_values) == {"A": "b"}
    told = pb.StringValue()
    assert config.config.configuration.Unpack(told)
    assert told.value == "{}"


def test_ports_are_a_condition_around_it():
    plugin = Plugin(
        name="ns.a", kind="lua", phase=Phase.AUTHN, code=b"x", digest="d", ports=(80, 8080), origin=REF
    )
    config = pb.ExtensionWithMatcher()
    assert filter_of(plugin).typed_config.Unpack(config)
    predicate = config.xds_matcher.matcher_list.matchers[0].predicate.not_matcher
    ports = [one.single_predicate.value_match.exact for one in predicate.or_matcher.predicate]
    assert ports == ["80", "8080"]
    script = pb.Lua()
    assert config.extension_config.typed_config.Unpack(script)
    assert script.default_source_code.inline_string == "x"
