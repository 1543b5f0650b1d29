"""What is refused in a WasmPlugin and a TrafficExtension. One that is refused closes all that it may be for."""

import re

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin, WasmSettings
from mizzen.resources.istio.security import WorkloadSelector
from mizzen.resources.rules import shared_rules

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def validate_wasm_plugin(plugin: WasmPlugin, found: Findings) -> None:
    _selector(plugin.spec.selector, found)
    _wasm(plugin.spec, found)


def validate_traffic_extension(extension: TrafficExtension, found: Findings) -> None:
    spec = extension.spec
    _selector(spec.selector, found)
    if spec.wasm is not None and spec.lua is not None:
        found.error("VAL-002", spec.lua.at, "an extension is wasm or lua, not both")
    if spec.wasm is not None:
        _wasm(spec.wasm, found)


def _selector(selector: WorkloadSelector | None, found: Findings) -> None:
    if selector is not None:
        shared_rules.selector(selector.match_labels, f"{selector.at}.matchLabels", found)


def _wasm(wasm: WasmSettings, found: Findings) -> None:
    if not wasm.url:
        found.error("VAL-001", f"{wasm.at}.url", "a plugin needs the URL of its module")
    if wasm.sha256 and not _SHA256.fullmatch(wasm.sha256):
        found.error("VAL-007", f"{wasm.at}.sha256", "a SHA-256 is 64 hexadecimal digits")
    names: set[str] = set()
    for one in wasm.vm_config.env:
        if not one.name:
            found.error("VAL-001", f"{one.at}.name", "a variable needs a name")
        elif one.name in names:
            found.error("VAL-008", f"{one.at}.name", f"the variable {one.name} stands twice")
        names.add(one.name)
        if one.value_from == "HOST" and one.value:
            found.error("VAL-002", f"{one.at}.value", "a variable of the host has no value of its own")
