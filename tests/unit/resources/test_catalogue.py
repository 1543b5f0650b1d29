import re
from pathlib import Path

import mizzen.resources
from mizzen.resources.catalogue import CATALOGUE


def test_the_catalogue_holds_every_code_that_is_used_and_no_other() -> None:
    (package,) = mizzen.resources.__path__
    used = set()
    for module in Path(package).rglob("*.py"):
        if module.name != "catalogue.py":
            used |= set(re.findall(r'"([A-Z]+-\d{3})"', module.read_text()))

    assert used == CATALOGUE.keys()
