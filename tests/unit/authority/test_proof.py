"""Proofs by which the processes of an instance know each other."""

from mizzen.authority.proof import (
    holds,
    name_of_secret,
    proof_of_answer,
    proof_of_proxy,
    proof_of_question,
)
from mizzen.redaction import hidden_text

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_proof_is_of_one_proxy_and_one_start() -> None:
    mine = proof_of_proxy(KEY, "edge.shop")

    assert holds(mine, proof_of_proxy(KEY, "edge.shop"))
    for other in (proof_of_proxy(KEY, "edge.other"), proof_of_proxy(OTHER, "edge.shop"), "", "é", mine[:-1]):
        assert not holds(other, mine)


def test_a_proof_for_one_purpose_is_none_for_another() -> None:
    found = {
        proof_of_proxy(KEY, "a"),
        proof_of_question(KEY, "a"),
        proof_of_answer(KEY, "a", b""),
        proof_of_answer(KEY, "", b"a"),
        proof_of_answer(KEY, "a", b"a"),
    }
    assert len(found) == 5


def test_no_proof_is_shown() -> None:
    proof = proof_of_proxy(KEY, "edge.shop")
    text = f'{{"key": "x-mizzen-proof", "value": "{proof}"}} {proof}'

    assert proof not in hidden_text(text)
    assert hidden_text(text).count("[redacted]") == 2
    assert hidden_text("nothing") == "nothing"


def test_names_of_files_are_not_to_be_guessed() -> None:
    names = {name_of_secret(key, of) for key in (KEY, OTHER) for of in ("a.b", "b.c")}

    assert len(names) == 4
    assert all(len(name) == 12 and name not in proof_of_proxy(KEY, "a.b") for name in names)
