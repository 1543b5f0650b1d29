"""What a WebAssembly module must have so that Envoy may run it: the binary format, and Proxy-Wasm's ABI.

Envoy refuses a whole configuration for a module that it cannot start. Whether its functions are sound only Envoy can tell;
what is told here is what people get wrong: a file that is no module, is cut off, or was made for something else.
(WebAssembly Core Specification 2.0, section 5.5; Proxy-Wasm ABI 0.2.1.)
"""

_MAGIC = b"\0asm\x01\0\0\0"
_EXPORTS = 7  # id of the section
_ABIS = frozenset({"proxy_abi_version_0_1_0", "proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"})
_ALLOCATORS = frozenset({"malloc", "proxy_on_memory_allocate"})


class _Cut(Exception):
    """The module ends too early."""


def wrong_module(code: bytes) -> str:
    """Why it is no plugin for Envoy; "" where it looks like one."""
    if not code.startswith(_MAGIC):
        return "it is no WebAssembly module (of version 1)"
    try:
        names = _exports(code)
    except _Cut:
        return "it is cut off, or no WebAssembly module"
    if not names & _ABIS:
        return "it was not made for Proxy-Wasm (it exports no proxy_abi_version_0_2_1, nor an earlier one)"
    if not names & _ALLOCATORS:
        return "it exports no malloc (or proxy_on_memory_allocate), which Envoy needs"
    return "" if "memory" in names else "it exports no memory"


def _exports(code: bytes) -> set[str]:
    names: set[str] = set()
    at = len(_MAGIC)
    while at < len(code):
        section = code[at]
        size, at = _number(code, at + 1)
        end = at + size
        if end > len(code):
            raise _Cut
        if section == _EXPORTS:
            count, inside = _number(code, at)
            for _ in range(count):
                length, inside = _number(code, inside)
                names.add(code[inside : inside + length].decode(errors="replace"))
                _, inside = _number(code, inside + length + 1)
                if inside > end:
                    raise _Cut
        at = end
    return names


def _number(code: bytes, at: int) -> tuple[int, int]:
    """LEB128, unsigned, of up to 32 bits."""
    value = shift = 0
    while True:
        if at >= len(code) or shift > 28:
            raise _Cut
        value |= (code[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if code[at - 1] < 0x80:
            return value, at
