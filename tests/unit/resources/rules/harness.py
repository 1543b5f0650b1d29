"""What tests of rules share: an object with a spec is read, and what is refused of it is told in short."""

from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents


def judged(api_version: str, kind: str, spec: str) -> tuple[bool, list[tuple[str, str]]]:
    """Is it read, and the code and field of each problem. `spec`: YAML in one line."""
    text = f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: one, namespace: default}}\nspec: {spec}\n"
    [raw], broken = parse_documents(text, "one.yaml")
    assert not broken
    decoded = decode(raw)
    return decoded.resource is not None, [(one.code, one.field) for one in decoded.problems]
