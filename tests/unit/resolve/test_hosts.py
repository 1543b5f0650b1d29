from mizzen.resolve.hosts import is_off


def test_a_host_falls_under_the_most_exact_entry_of_its_server():
    named, off = ("*.test", "*.a.test", "b.test"), frozenset({"*.test", "x.a.test"})
    falls = {
        host: is_off(host, named, off) for host in ("c.test", "b.test", "y.a.test", "x.a.test", "*.a.test")
    }
    assert falls == {"c.test": True, "b.test": False, "y.a.test": False, "x.a.test": True, "*.a.test": False}
