import time

from tests.harness.plans import SITE, planned

HOSTS = 3_000


def test_nothing_is_planned_where_nothing_differs() -> None:
    assert planned(SITE, "# moved\n\n" + SITE).changes == ()


def test_from_nothing_and_to_nothing() -> None:
    assert planned("", SITE).worst.value == "opens"
    assert planned(SITE, "").worst.value == "unserved"
    assert planned("", "").changes == ()


def test_what_does_nothing_is_told_with_its_object() -> None:
    [one] = planned(
        SITE,
        SITE.replace(
            "{name: web, namespace: istio-system}\ntype",
            "{name: web, namespace: istio-system, labels: {a: b}}\ntype",
        ),
    ).changes

    assert (one.gateway, one.listener, one.host, one.effect.value) == (None, None, None, "none")
    assert [str(cause.origin) for cause in one.because] == ["new.yaml:13:57"]


def test_thousands_of_hosts_take_no_minute() -> None:
    """Each has a VirtualService of its own, and all of them come at once: 3,000 objects to ask who did it."""
    route = SITE.split("---\n")[2]
    many = "".join(
        f"---\n{route.replace('name: web', f'name: web-{i}').replace('a.example.com', f'h{i}.example.com')}"
        for i in range(HOSTS)
    )
    wide = SITE.replace("hosts: [a.example.com]\n    tls", 'hosts: ["*.example.com"]\n    tls')
    began = time.process_time()
    plan = planned(wide, wide + many)
    took = time.process_time() - began

    opened = [one for one in plan.changes if one.host == "h7.example.com"]
    assert [one.effect.value for one in opened] == ["opens", "opens"]
    assert {str(cause.resource) for one in opened for cause in one.because} == {
        "VirtualService/istio-system/web-7"
    }
    assert took < 30
