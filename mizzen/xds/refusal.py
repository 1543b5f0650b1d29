"""Why an Envoy refuses something, out of the text that it says so with.

Envoy puts the whole message that it refuses into that text, behind a mark of protobuf's ("goo.gle/debugonly" and
others: not to be parsed), and the reason after it, or before it. What it refuses may be megabytes, and is known.
"""

import re

# goo.gle/..., the dump, and the rule that is broken.
_RULE = re.compile(
    r"goo\.gle/\w+\s.*?^: Proto constraint validation failed \((?P<chain>[^\n]*)\)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
# A dump without a rule after it; of two resources, the next one's text begins with "Error adding/updating".
_DUMP = re.compile(
    r"goo\.gle/\w+\s*(?P<dump>.*?)(?=\s*^Error adding/updating |\s*\Z)", re.DOTALL | re.MULTILINE
)
_STEP = re.compile(r"\w+ValidationError\.(?P<field>\w+)(?P<index>\[[^\]]*\])?: (?P<wrong>.*)", re.DOTALL)
_UNNAMED = re.compile(r'field: "(?P<field>\w+)", reason: (?P<wrong>.*)', re.DOTALL)
# Envoy cuts what is very long, and the reason with it.
LOST = "(what it refused is not shown)"
_LONGEST_DUMP = 100  # what is shorter may itself be the reason: "seconds: -1"


def reason(text: str) -> str:
    """`text` with the sentence that tells why, and without what was refused."""
    told = _RULE.sub(lambda found: _broken_rule(found["chain"]), text)
    return _DUMP.sub(lambda found: _short(found["dump"]), told).strip()


def _broken_rule(chain: str) -> str:
    """ "AValidationError.B[0]: embedded ... | caused by BValidationError.C: why" -> "b[0].c: why"."""
    path = []
    wrong = chain
    for step in chain.split(" | caused by "):
        found = _STEP.fullmatch(step) or _UNNAMED.fullmatch(step)
        if found is None:
            return chain
        path.append(_snake(found["field"]) + (found.groupdict().get("index") or ""))
        wrong = found["wrong"]
    return f"{'.'.join(path)}: {wrong}"


def _snake(name: str) -> str:
    """PathRedirect -> path_redirect, as the field is called in Envoy's API."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _short(dump: str) -> str:
    words = " ".join(dump.split())
    return words if len(words) <= _LONGEST_DUMP else LOST
