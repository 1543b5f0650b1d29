"""Code that requests meet: WebAssembly modules in V8, and scripts in Lua. Both are filters within what judges requests."""

from typing import assert_never

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.parts import extension, packed
from mizzen.model.plugin import Plugin

_RUNTIME = "envoy.wasm.runtime.v8"
_FAILURES = {
    "closed": pb.FailurePolicy.FAIL_CLOSED,
    "open": pb.FailurePolicy.FAIL_OPEN,
    "reload": pb.FailurePolicy.FAIL_RELOAD,
}


def filter_of(plugin: Plugin) -> pb.TypedExtensionConfig:
    """Where it is for some ports alone, others pass it by."""
    match plugin.kind:
        case "wasm":
            config: Message = _wasm(plugin)
        case "lua":
            config = pb.Lua(default_source_code=pb.DataSource(inline_string=plugin.code.decode()))
        case other:
            assert_never(other)
    if plugin.ports is not None:
        config = _at_ports(extension(plugin.name, config), plugin.ports)
    return extension(plugin.name, config)


def _wasm(plugin: Plugin) -> pb.Wasm:
    out = pb.Wasm()
    config = out.config
    config.name, config.root_id = plugin.name, plugin.root
    config.failure_policy = _FAILURES[plugin.failure]
    if plugin.configuration:
        config.configuration.CopyFrom(packed(pb.StringValue(value=plugin.configuration)))
    machine = config.vm_config
    machine.runtime = _RUNTIME
    machine.code.local.inline_bytes = plugin.code
    machine.environment_variables.host_env_keys.extend(plugin.host_env)
    for name, value in plugin.env:
        machine.environment_variables.key_values[name] = value
    return out


def _at_ports(inner: pb.TypedExtensionConfig, ports: tuple[int, ...]) -> pb.ExtensionWithMatcher:
    """Skipped unless the connection was for one of these ports."""
    out = pb.ExtensionWithMatcher()
    out.extension_config.CopyFrom(inner)
    matcher = out.xds_matcher.matcher_list.matchers.add()
    of_ports = [_of_port(port) for port in ports]
    skipped = matcher.predicate.not_matcher
    if len(of_ports) == 1:
        skipped.CopyFrom(of_ports[0])
    else:
        skipped.or_matcher.predicate.extend(of_ports)
    action = matcher.on_match.action
    action.name = "skip"
    action.typed_config.CopyFrom(packed(pb.SkipFilter()))
    return out


def _of_port(port: int) -> "pb.Matcher.MatcherList.Predicate":
    out = pb.Matcher.MatcherList.Predicate()
    out.single_predicate.input.name = "port"
    out.single_predicate.input.typed_config.CopyFrom(packed(pb.DestinationPortInput()))
    out.single_predicate.value_match.exact = str(port)
    return out
