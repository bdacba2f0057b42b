"""One self-contained page: no script, no remote file, light and dark, phone to print, each block in its direction."""

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from crawler.digest.formats import words


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(w=words, href=_href)
    text = resources.files(__package__).joinpath("edition.html.j2").read_text("utf-8")
    return environment.from_string(text)


def render(edition: dict[str, Any]) -> str:
    return _template().render(e=edition) + "\n"


def _href(url: str) -> str:
    """A link only to http and https; anything else leads nowhere."""
    return url if url.startswith(("http://", "https://")) else "#"
