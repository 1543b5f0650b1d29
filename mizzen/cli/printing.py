"""Structures as text: JSON with istioctl's indent, or YAML."""

import json
from typing import Any

import yaml


def as_text(value: Any, form: str) -> str:
    """`value` as "json" or "yaml", with a line feed at the end."""
    if form == "yaml":
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1_000))
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"
