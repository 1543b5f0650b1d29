"""What is a module that Envoy may run."""

import pytest

from mizzen.resources.formats.wasm import wrong_module
from tests.harness.small_wasm import answering, unsound

GOOD = answering(403)


def test_a_module_for_envoy_is_one():
    assert wrong_module(GOOD) == ""
    assert wrong_module(unsound()) == ""  # only an engine can tell


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (b"", "no WebAssembly"),
        (b"#!/bin/sh", "no WebAssembly"),
        (GOOD[:-3], "cut off"),
        (GOOD[:8] + b"\x01\xff\xff\xff\xff\xff\xff", "cut off"),
        (GOOD[:8], "not made for Proxy-Wasm"),
        (GOOD.replace(b"abi_version_0_2_1", b"abi_version_9_9_9"), "not made for Proxy-Wasm"),
        (GOOD.replace(b"malloc", b"mallox"), "exports no malloc"),
        (GOOD.replace(b"memory", b"memorx"), "exports no memory"),
    ],
)
def test_what_is_none_is_told(code, wrong):
    assert wrong in wrong_module(code)


def test_every_cut_is_survived():
    whole = len(GOOD)
    judged = [wrong_module(GOOD[:end]) for end in range(whole)]
    # Behind the exports a cut may fall between two sections.
    assert sum(not wrong for wrong in judged) <= 1
