"""What a person reads."""

from mizzen.doctor.links import Link, Name, ordered
from mizzen.doctor.table import heading, rendered

FINE = ordered("https://a.test/", [Link(name, True, f"{name.value} is fine") for name in Name])
BROKEN = ordered(
    "https://b.test/",
    [Link(Name.DNS, True, "127.0.0.1"), Link(Name.UDP, False, "it is silent", "open UDP 443")],
)


def test_the_first_line_says_it_all() -> None:
    assert heading(FINE) == "https://a.test/: HTTP/3 works"
    assert heading(BROKEN) == "https://b.test/: broken at udp"
    assert heading(ordered("u", [])) == "u: nothing is broken, as far as can be seen from here"


def test_every_link_of_one_url_is_shown() -> None:
    lines = rendered([BROKEN], 80).splitlines()
    assert lines[1] == "ok      dns                 127.0.0.1"
    assert "BROKEN  udp                 it is silent" in lines
    assert "                            -> open UDP 443" in lines
    assert lines[2].startswith("-       tcp") and lines[-1] == "What to do: open UDP 443"
    assert len(rendered([FINE], 80).splitlines()) == 18


def test_long_sentences_are_broken_at_words() -> None:
    long = ordered("u", [Link(Name.DNS, True, "word " * 30)])
    assert all(len(line) <= 80 for line in rendered([long], 80).splitlines())


def test_several_urls_stand_side_by_side_with_their_faults_below() -> None:
    text = rendered([FINE, BROKEN], 80)
    lines = text.splitlines()
    assert lines[0] == "LINK                https://a.test/  https://b.test/"
    assert lines[8] == "udp                 ok               BROKEN"
    assert "https://b.test/: broken at udp" in lines and "https://a.test/: HTTP/3 works" not in lines
    assert all(line == line.rstrip() for line in lines)


def test_marks_can_be_coloured() -> None:
    assert "<BROKEN  >" in rendered([BROKEN], 80, lambda text, ok: f"<{text}>" if ok is False else text)
