"""One self-contained page: no script, no remote file, light and dark, phone to print, each block in its direction."""

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from crawler.digest.formats import pictures, words


class Words(words.Words):
    """The digest's words as HTML: what stands in their blanks is escaped, names from outside are isolated."""

    kind = Markup

    def name(self, text: str) -> Markup:
        return Markup("<bdi>{}</bdi>").format(words.visible(text))


@cache
def template(name: str) -> Template:
    """A template of this folder; everything that it is given is escaped."""
    loader = FunctionLoader(lambda name: resources.files(__package__).joinpath(name).read_text("utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        p=pictures,
        href=href,
        own=_own,
        direction=words.direction,
        originals=words.originals,
        copies=words.copies,
        SIDES=pictures.SIDES,
    )
    environment.filters["visible"] = words.visible
    return environment.get_template(name)


def render(edition: dict[str, Any], story: str = "") -> str:
    """The page of an edition. `story`: an address with {id}, to which the desk leads from each story."""
    return template("edition.html.j2").render(e=edition, w=Words.of(edition["language"]), story=story) + "\n"


def href(url: str) -> str:
    """A link only to http and https; anything else leads nowhere."""
    return words.seen(url)[:2000] if url.startswith(("http://", "https://")) else "#"


def _own(item: dict[str, Any]) -> str:
    """The address of the article whose title a story has for its headline."""
    titled = (a["url"] for a in item["articles"] if a["title"] == item["headline"])
    return href(next(titled, item["articles"][0]["url"]))
