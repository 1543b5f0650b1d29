"""What Envoy's API calls sensitive is not shown, wherever it stands."""

from google.protobuf.message import Message

from mizzen._api import others, pb
from mizzen.messages.sensitive import without_secrets

MARK = "open-sesame"


def of_oauth2() -> Message:
    kind = others.class_of("envoy.extensions.transport_sockets.tls.v3.GenericSecret")
    assert kind is not None
    secret = kind()
    secret.secret.inline_string = MARK  # type: ignore[attr-defined]
    return secret


def test_it_is_replaced_within_any_and_within_lists() -> None:
    auth = pb.BasicAuth()
    auth.users.inline_string = MARK
    manager = pb.HttpConnectionManager(stat_prefix="seen")
    manager.http_filters.add(name="seen too").typed_config.Pack(auth)
    chain = pb.FilterChain(name="chain")
    chain.filters.add(name="manager").typed_config.Pack(manager)
    listener = pb.Listener(name="listener", filter_chains=[chain])

    shown = without_secrets(listener)

    assert MARK.encode() not in shown.SerializeToString()
    assert b"seen too" in shown.SerializeToString()
    assert MARK.encode() in listener.SerializeToString()


def test_secrets_and_their_bytes_too() -> None:
    tls = pb.TlsCertificate()
    tls.private_key.inline_bytes = MARK.encode()

    for message in (of_oauth2(), tls):
        shown = without_secrets(message).SerializeToString()
        assert MARK.encode() not in shown
        assert b"[redacted]" in shown


def test_what_has_nothing_sensitive_stays_equal() -> None:
    cluster = pb.Cluster(name="a", connect_timeout=pb.Duration(seconds=1))

    assert without_secrets(cluster) == cluster


def test_a_type_that_is_not_known_is_left_alone() -> None:
    packed = pb.Any(type_url="type.googleapis.com/not.There", value=b"x")

    assert without_secrets(packed) == packed
