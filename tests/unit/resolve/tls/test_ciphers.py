"""Which cipher suites Envoy knows."""

from mizzen.resolve.tls.ciphers import known_ciphers


def test_what_envoy_does_not_know_is_left_out_and_each_stands_once() -> None:
    first, second = "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-SHA"
    assert known_ciphers((first, "TLS_AES_256_GCM_SHA384", first, second, "RC4-MD5")) == (first, second)
    assert known_ciphers(("RC4-MD5",)) == ()


def test_a_group_counts_where_all_of_it_is_known() -> None:
    known = "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]"
    assert known_ciphers((known, "[ECDHE-ECDSA-AES128-GCM-SHA256|RC4-MD5]")) == (known,)
