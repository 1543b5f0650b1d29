from mizzen.resources.kinds import INERT, KINDS


def test_a_kind_is_either_acted_upon_or_not() -> None:
    assert not KINDS.keys() & INERT.keys()


def test_the_newest_version_is_preferred() -> None:
    assert KINDS["VirtualService"].api_version == "networking.istio.io/v1"
    assert KINDS["Service"].api_version == "v1"
