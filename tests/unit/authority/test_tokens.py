"""Join tokens: once, for a time, for one identity."""

from datetime import datetime, timedelta

import pytest

from mizzen.authority.identity import Identity
from mizzen.authority.tokens import (
    Refusal,
    Token,
    Tokens,
    TokensError,
    decode,
    encode,
    find,
    is_token,
    issue,
    pruned,
    redeem,
    revoke,
)

WHO = Identity(namespace="httpbin", service_account="httpbin")
RANDOM = bytes(range(40))
HOUR = timedelta(hours=1)


@pytest.fixture
def given(now: datetime) -> tuple[Tokens, str]:
    return issue((), identity=WHO, random=RANDOM, now=now)


def test_a_token_stands_for_its_identity(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given

    tokens, token = redeem(tokens, text, "my key", now)

    assert is_token(text)
    assert isinstance(token, Token) and token.identity == WHO and token.used == now
    assert tokens == (token,)


def test_a_stolen_token_is_worth_nothing_once_it_was_used(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given
    tokens, _ = redeem(tokens, text, "my key", now)

    assert redeem(tokens, text, "the thief's key", now) == (tokens, Refusal.USED)


def test_who_lost_the_answer_may_ask_again_for_the_same_key(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given
    tokens, token = redeem(tokens, text, "my key", now)

    assert redeem(tokens, text, "my key", now + HOUR / 2) == (tokens, token)
    assert redeem(tokens, text, "my key", now + HOUR) == (tokens, Refusal.ENDED)


def test_a_token_ends(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given

    assert isinstance(find(tokens, text, now + HOUR - timedelta(seconds=1)), Token)
    assert redeem(tokens, text, "my key", now + HOUR) == (tokens, Refusal.ENDED)


def test_a_guess_is_not_told_from_an_unknown_token(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given
    guess = text[:-1] + ("0" if text[-1] != "0" else "1")

    for wrong in (guess, text.upper(), "", "mizzen-join.0.0", text + "\n"):
        assert redeem(tokens, wrong, "key", now) == (tokens, Refusal.UNKNOWN)


def test_what_is_kept_does_not_hold_the_secret(given: tuple[Tokens, str]) -> None:
    tokens, text = given
    secret = text.rpartition(".")[2]

    assert secret not in encode(tokens).decode()
    assert secret not in repr(tokens) and tokens[0].digest not in repr(tokens)


def test_tokens_are_written_and_read(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given
    used, _ = redeem(tokens, text, "my key", now)

    assert decode(encode(tokens)) == tokens
    assert decode(encode(used)) == used
    for damaged in (b"", b"{}x", b"[1]", b'[{"id": "a"}]'):
        with pytest.raises(TokensError):
            decode(damaged)


def test_a_revoked_token_is_unknown(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, text = given

    assert find(revoke(tokens, tokens[0].id), text, now) is Refusal.UNKNOWN


def test_ended_tokens_are_forgotten_after_a_day(given: tuple[Tokens, str], now: datetime) -> None:
    tokens, _ = given

    assert pruned(tokens, now + 24 * HOUR) == tokens
    assert pruned(tokens, now + 25 * HOUR) == ()


def test_a_token_needs_all_its_randomness(now: datetime) -> None:
    with pytest.raises(ValueError, match="40 random bytes"):
        issue((), identity=WHO, random=b"short", now=now)
