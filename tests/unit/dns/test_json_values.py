"""Records as JSON values."""

from dataclasses import replace

from mizzen.dns.compared import Difference
from mizzen.dns.json_values import differences_value, json_values
from mizzen.dns.justified import justified
from tests.unit.dns.test_justified import BINDING, EAST


def test_each_record_says_where_it_is_from_and_each_host_without_one_why() -> None:
    some = replace(
        EAST, binding=replace(BINDING, hosts=("*", "www.example.com")), resource="Gateway/shop/web"
    )
    made = json_values(justified([some]), is_proven=True)
    (record,), (left,) = made["records"], made["leftOut"]
    assert made["proven"] is True
    assert record["name"] == "www.example.com." and record["alpn"] == ["h3", "h2", "http/1.1"]
    assert record["because"] == [
        {
            "gateway": "east.istio-system",
            "server": "https.443.https.web.shop",
            "resource": "Gateway/shop/web",
            "origin": "",
        }
    ]
    assert left["host"] == "*" and left["port"] == 443 and "every host" in left["reason"]


def test_differences_say_whether_there_are_any() -> None:
    assert differences_value(()) == {"same": True, "differences": []}
    found = differences_value((Difference(name="a.", missing=("1 .",), surplus=()),))
    assert found == {"same": False, "differences": [{"name": "a.", "missing": ["1 ."], "surplus": []}]}
