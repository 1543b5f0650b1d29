"""A WebAssembly module for Envoy (Proxy-Wasm 0.2.1), put together by hand: it answers every request itself."""

_I32 = 0x7F
# Types of functions: parameters -> whether there is a result.
_TYPES = (
    ([], False),
    ([_I32] * 2, False),
    ([_I32] * 2, True),
    ([_I32] * 3, True),
    ([_I32], True),
    ([_I32] * 8, True),
)
_END, _CALL, _DROP, _UNREACHABLE = b"\x0b", b"\x10", b"\x1a", b"\x00"


def answering(status: int) -> bytes:
    """Each request is answered with `status`."""
    respond = [_const(status), *[_const(0)] * 6, _const(-1), _CALL, _unsigned(0), _DROP, _const(1)]
    return _module(b"".join(respond))


def trapping() -> bytes:
    """It starts, and dies of the first request."""
    return _module(_UNREACHABLE + _const(0))


def unsound() -> bytes:
    """It has the form of a module, and no engine takes it: its function adds what is not there."""
    return _module(b"\x6a")


def _module(on_request: bytes) -> bytes:
    functions = (
        ("_initialize", 0, b""),
        ("proxy_abi_version_0_2_1", 0, b""),
        ("proxy_on_context_create", 1, b""),
        ("proxy_on_vm_start", 2, _const(1)),
        ("proxy_on_configure", 2, _const(1)),
        ("malloc", 4, _const(1024)),
        ("proxy_on_request_headers", 3, on_request),
    )
    imported = _name("env") + _name("proxy_send_local_response") + b"\x00" + _unsigned(5)
    exports = [_name("memory") + b"\x02\x00"]
    exports += [_name(name) + b"\x00" + _unsigned(index) for index, (name, _, _) in enumerate(functions, 1)]
    return b"".join(
        (
            b"\0asm\x01\0\0\0",
            _section(1, [_function_type(*one) for one in _TYPES]),
            _section(2, [imported]),
            _section(3, [_unsigned(kind) for _, kind, _ in functions]),
            _section(5, [b"\x00" + _unsigned(2)]),
            _section(7, exports),
            _section(10, [_sized(_unsigned(0) + body + _END) for _, _, body in functions]),
        )
    )


def _function_type(parameters: list[int], has_result: bool) -> bytes:
    results = [bytes([_I32])] if has_result else []
    return b"\x60" + _vector([bytes([one]) for one in parameters]) + _vector(results)


def _section(number: int, items: list[bytes]) -> bytes:
    return bytes([number]) + _sized(_vector(items))


def _vector(items: list[bytes]) -> bytes:
    return _unsigned(len(items)) + b"".join(items)


def _sized(content: bytes) -> bytes:
    return _unsigned(len(content)) + content


def _name(text: str) -> bytes:
    return _sized(text.encode())


def _const(value: int) -> bytes:
    return b"\x41" + _signed(value)


def _unsigned(value: int) -> bytes:
    """LEB128."""
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _signed(value: int) -> bytes:
    """LEB128 in two's complement."""
    out = b""
    while not -64 <= value < 64:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value & 0x7F])
