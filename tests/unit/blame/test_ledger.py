"""Who is set aside is known by content, has an error like any other, and comes back as soon as it says something else."""

from dataclasses import replace

from mizzen.blame.ledger import Entry, Ledger, content_of, without
from mizzen.errors import ResourceRef
from mizzen.resources.decode import decode, identify
from mizzen.resources.intake import decode_all
from mizzen.resources.istio.security import AuthorizationPolicy, Closure
from mizzen.resources.raw_objects import RawObject, parse_documents

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: web}
spec:
  hosts: [shop.test]
  gateways: [shop]
  http: [{name: NAME, directResponse: {status: 200}}]
"""
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: web}
spec:
  action: DENY
  rules: [{to: [{operation: {hosts: [shop.test], paths: [/odd]}}]}]
"""


def raw(text: str, file: str = "a.yaml") -> RawObject:
    objects, problems = parse_documents(text, file)
    assert not problems
    return objects[0]


def entry(one: RawObject, **rest: object) -> Entry:
    ref = identify(one, "default")
    made = Entry(ref=replace(ref, places={}), content=content_of(one), reason="no such thing")
    return replace(made, **rest)  # type: ignore[arg-type]


def test_an_object_that_is_set_aside_takes_no_part_and_says_so_at_its_line() -> None:
    one = raw(ROUTE)
    ledger = Ledger().with_entries([entry(one, fields=("spec.http[0].name",))])
    marked = ledger.applied_to(one)
    assert ledger.applied_to(one) is marked  # what follows from it is remembered
    assert ledger.listed((one,)) == {one.digest: marked.aside}

    decoded = decode(marked)

    assert decoded.resource is None
    [problem] = decoded.problems
    assert (problem.code, str(problem.origin)) == ("XDS-002", "a.yaml:7:11")
    assert "no such thing" in problem.message
    assert marked.digest != one.digest


def test_it_is_the_same_at_another_line_and_another_one_when_it_says_something_else() -> None:
    ledger = Ledger().with_entries([entry(raw(ROUTE))])

    assert ledger.entry(raw("\n\n" + ROUTE, "b.yaml"))
    assert not ledger.entry(raw(ROUTE.replace("NAME", "other")))
    objects = (raw(POLICY), raw(ROUTE.replace("NAME", "other")))
    assert all(ledger.applied_to(one) is one for one in objects)
    assert ledger.listed(objects) == {}


def test_a_new_guard_that_is_set_aside_closes_what_it_may_be_for() -> None:
    policy = raw(POLICY)
    whole = (Ledger().with_entries([entry(policy)]).applied_to(policy),)
    known = entry(policy, fields=("spec.rules[0].to[0].operation.paths",))
    partly = (Ledger().with_entries([known]).applied_to(policy),)

    [closure] = decode_all(whole)[0].closures
    assert isinstance(closure, Closure)
    assert closure.spec.rules[0].to == ()  # of everything
    [wider] = decode_all(partly)[0].authorization_policies
    assert isinstance(wider, AuthorizationPolicy)
    assert wider.spec.rules[0].to[0].operation.hosts == ("shop.test",)
    assert wider.spec.rules[0].to[0].operation.paths == ()


def test_in_a_trial_an_earlier_version_takes_the_place_of_who_is_set_aside() -> None:
    now, before, other = raw(ROUTE), raw(ROUTE.replace("NAME", "before")), raw(POLICY)
    ref = identify(now, "default")

    assert without((now, other), {ref: entry(now)}, {ref: before}, "default") == (before, other)
    marked, _ = without((now, other), {ref: entry(now)}, {}, "default")
    assert marked.aside
    assert without((now, other), {}, {ref: before}, "default") == (now, other)


def test_the_next_process_and_no_other_content_is_read_back() -> None:
    ledger = Ledger().with_entries([entry(raw(ROUTE), fields=("spec",), died=True, envoy="1.40.0")])

    assert Ledger().restored(ledger.to_json()) == ledger
    others: list[object] = [None, [], {}, {"entries": [{}]}, {"entries": [{"ref": 1}]}, {"entries": 3}]
    for bad in others:
        try:
            Ledger().restored(bad)
        except ValueError:
            continue
        raise AssertionError(bad)


def test_another_envoy_may_take_what_this_one_refused() -> None:
    ledger = Ledger().with_entries([entry(raw(ROUTE), envoy="1.40.0")])

    assert ledger.of_envoys({"1.40.0", "1.41.0"}) is ledger
    assert ledger.of_envoys({"1.41.0"}).entries == ()


def test_entries_are_bounded() -> None:
    one = entry(raw(ROUTE))
    many = [replace(one, ref=ResourceRef(kind="VirtualService", name=str(number))) for number in range(1500)]

    kept = Ledger().with_entries(many).entries
    assert (len(kept), kept[-1].ref.name) == (1000, "1499")
