"""One module a format: `render(edition) -> str`, pure. To add a format: docs/extending.md."""

from importlib import import_module
from typing import Any

from crawler.config import FORMATS
from crawler.digest.build import current

_MODULES = {"md": "markdown"}  # the others are called as their module


def render(edition: dict[str, Any], format_: str, **options: str) -> str:
    """The text of an edition in a format of FORMATS; `options` are the format's own."""
    if format_ not in FORMATS:
        raise ValueError(f"no format {format_!r}")
    module = import_module(f"crawler.digest.formats.{_MODULES.get(format_, format_)}")
    return str(module.render(edition if format_ == "json" else current(edition), **options))
