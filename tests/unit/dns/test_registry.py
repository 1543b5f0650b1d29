"""Whose records are, by the word beside them."""

import pytest

from mizzen.dns.record import Unnameable
from mizzen.dns.registry import owner_in, registry_name, word


def test_the_word_stands_below_a_label_of_its_own() -> None:
    assert registry_name("www.example.com.") == "_mizzen.www.example.com."
    assert registry_name("*.example.com.") == "_mizzen._wildcard.example.com."


def test_what_was_written_is_read_back_and_others_words_are_none() -> None:
    assert owner_in(word("shop/web")) == "shop/web"
    assert owner_in("heritage=external-dns,external-dns/owner=me") is None


def test_a_name_that_leaves_no_room_for_it_has_none() -> None:
    with pytest.raises(Unnameable, match="too long"):
        registry_name(".".join(["a" * 60] * 4) + ".exam.")
