from mizzen.doctor.links import Finding, Name
from mizzen.doctor.operator_check import Check, at, findings, others

BROKEN = Check(check="service", ok=False, said="no UDP", remedy="add it", links=(Name.UDP, Name.ALT_SVC))
FINE = Check(check="service", ok=True, said="both", links=(Name.UDP,))
OTHER = Check(check="workers", ok=False, said="one is idle")


def test_what_is_about_a_link_is_told_there_and_the_rest_by_itself() -> None:
    checks = (BROKEN, FINE, OTHER)
    assert findings(checks) == (
        Finding(Name.UDP, False, "no UDP", "add it"),
        Finding(Name.ALT_SVC, False, "no UDP", "add it"),
    )
    assert others(checks) == (FINE, OTHER)
    assert OTHER.to_json() == {"check": "workers", "ok": False, "said": "one is idle", "remedy": ""}


def test_an_object_is_named_with_its_place() -> None:
    assert at("Service/shop/web", "s.yaml:9:3") == "Service/shop/web (s.yaml:9:3)"
    assert at("Service/shop/web", "") == "Service/shop/web"
