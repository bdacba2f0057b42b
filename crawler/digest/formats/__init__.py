"""One module a format: `render(edition) -> str`, pure. To add a format, add a module and its line here."""

from importlib import import_module
from typing import Any

FORMATS = ("md", "html", "json", "atom")
_MODULES = {"md": "markdown", "html": "html", "json": "json", "atom": "atom"}


def render(edition: dict[str, Any], format_: str) -> str:
    """The text of an edition in a format of FORMATS."""
    module = import_module(f"crawler.digest.formats.{_MODULES[format_]}")
    return str(module.render(edition))
