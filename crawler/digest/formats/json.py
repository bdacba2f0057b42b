"""The edition itself, indented for people; docs/digest.md describes its keys."""

import json
from typing import Any


def render(edition: dict[str, Any]) -> str:
    return json.dumps(edition, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
