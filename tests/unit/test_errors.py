from mizzen.errors import Problem, ResourceRef, printable


def test_a_problem_is_one_line_whatever_the_user_wrote() -> None:
    ref = ResourceRef(kind="VirtualService", namespace="shop", name="a\nb")

    problem = Problem(code="VAL-006", resource=ref, field="spec[x\r\ny]", message='"\x00\x1b[31m" is no name')

    assert str(problem) == (
        'VirtualService/shop/a\\nb spec[x\\r\\ny]: error VAL-006 (IST0106): "\\x00\\x1b[31m" is no name'
    )
    assert all(text.isprintable() for text in problem.value().values())


def test_what_is_very_long_is_cut_in_the_middle() -> None:
    assert printable("é" * 1000) == "é" * 1000
    assert printable("a" + "x" * 70_000 + "b") == "a" + "x" * 499 + "..." + "x" * 499 + "b"
