from mizzen._api import pb
from mizzen.envoy.filter_chain import refusing_chain
from mizzen.plan.chains import chain_of
from tests.harness.plans import QUIC, SITE, TCP, surface

MUTUAL = SITE.replace("mode: SIMPLE", "mode: MUTUAL").replace(
    "data: {tls.crt", 'data: {ca.crt: "${b64:ca.crt}", tls.crt'
)


def test_a_chain_knows_what_it_leans_on() -> None:
    for name in (TCP, QUIC):
        [chain] = (one for one in surface(MUTUAL).listeners[name].chains if not one.refuses)

        assert chain.names == ("a.example.com",)
        assert chain.table == "https.443.https.web.istio-system"
        assert chain.secrets == {"kubernetes://web", "kubernetes://web-cacert"}
        assert "alt-svc/https.443.https.web.istio-system" in chain.extensions


def test_a_chain_that_refuses_is_none_that_serves() -> None:
    refusing = refusing_chain(("b.example.com",))

    assert chain_of(refusing, b"").refuses


def test_who_is_taken_is_apart_from_the_rest() -> None:
    one, other = pb.FilterChain(name="a"), pb.FilterChain(name="a")
    one.filter_chain_match.server_names.append("a.test")
    other.filter_chain_match.server_names.append("b.test")

    assert chain_of(one, b"1").but_names == chain_of(other, b"2").but_names


def test_a_chain_without_filters_is_read_too() -> None:
    found = chain_of(pb.FilterChain(name="bare"), b"")

    assert (found.names, found.table, found.secrets, found.refuses) == ((), "", frozenset(), False)
