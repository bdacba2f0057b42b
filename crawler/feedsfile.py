"""A source written into a feeds.yaml that people keep by hand. Pure but for `write_sources`.

Every byte that stands there stays: the entry is set in behind the last one, at the place that the parser gives for it,
and the whole is read again. It counts only if it then says what it said before, and the new source behind that; where
no place does (a list made of anchors, say), nothing is written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from crawler import urls
from crawler.config import Config, SourceConfig, decoded, packaged_config, parse_config, parse_source, read_bytes
from crawler.errors import ConfigError, UsageError
from crawler.files import whole_file

BOM = b"\xef\xbb\xbf"
MOST_ID = 80  # characters, as config.py allows
_GENERIC = re.compile(
    r"(?i)^(?:rss2?|feeds?|atom|xml|index|default|home|sitemaps?|news[-_]?sitemap|sitemap[-_]?news|all|en|ru|ur|s)$"
)
_SECOND_LEVEL = frozenset("com co org net gov gob edu ac".split())
# Two-letter domains that stand for anything but their country.
_ANYWHERE = frozenset("ai cc co eu fm gg io la ly me nu sh su to tv ws xyz".split())


# --- a source in words that feeds.yaml knows


def entry(
    *, id: str, name: str, url: str, kind: str, country: str = "", language: str = "", timezone: str = ""
) -> dict[str, str]:
    """The keys of a source, in the order in which feeds.yaml has them; what is not known is left out."""
    values = {"id": id, "name": name, "url": url, "kind": kind, "country": country, "language": language,
              "timezone": timezone}  # fmt: skip
    return {key: value for key, value in values.items() if value}


def block(values: Mapping[str, Any]) -> str:
    """The lines of one entry, quoted as YAML wants it whatever the values hold."""
    return _yaml([dict(values)], flow=False)


def _yaml(value: Any, *, flow: bool) -> str:
    """On lines as long as they get: a folded one would depend on the place where it is set in."""
    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=1_000_000)
    return text


def guess_id(url: str, *, taken: Sequence[str] = ()) -> str:
    """An id from an address: the site's name, then words of the path until it is free, then a number."""
    host = urls.site(url).split(":")[0]
    *labels, _ = host.split(".") if "." in host else (host, "")
    if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
        labels.pop()
    words = [w for w in re.split(r"[/?&=.]+", url.partition("://")[2].partition("/")[2]) if not _GENERIC.match(w)]
    if host == "t.me":
        labels = ["telegram"]
    if host == "youtube.com":
        words = [w for w in words if w not in ("videos", "channel_id", "playlist_id", "user")]
    named = [_slug(w) for w in ["-".join(labels), *words] if _slug(w)] or ["source"]
    least = min(2, len(named)) if host in ("t.me", "youtube.com") else 1
    for count in range(least, len(named) + 1):
        found = "-".join(named[:count])[:MOST_ID].strip("-._")
        if found not in taken:
            return found
    number = 2
    while f"{found[: MOST_ID - 5]}-{number}" in taken:
        number += 1
    return f"{found[: MOST_ID - 5]}-{number}"


def _slug(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40]


def guess_name(title: str, url: str) -> str:
    """A name for people: the title that the source gives itself on one line, else its host."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return shown[:80].strip() or urls.site(url)


def guess_country(url: str, language: str = "") -> str:
    """ISO 3166 from the domain, else from a language of one country; "" where nothing tells."""
    last = urls.host(url).split(":")[0].rpartition(".")[2]
    if last in ("ru", "su", "xn--p1ai"):
        return "RU"
    if last == "uk":
        return "GB"
    if len(last) == 2 and last.isalpha() and last not in _ANYWHERE:
        return last.upper()
    return "PK" if language == "ur" else ""


def zone_of(country: str) -> str:
    """The zone of the dates of a side that has one capital's clock; elsewhere dates without a zone stay UTC."""
    return {"PK": "Asia/Karachi", "RU": "Europe/Moscow"}.get(country, "")


def known(config: Config, url: str) -> SourceConfig | None:
    """The source that has this address already, however it is spelled."""
    key = urls.canonical(url)
    return next((s for s in config.sources if urls.canonical(s.url) == key), None)


# --- into the file


def with_sources(text: str, entries: Sequence[Mapping[str, Any]], *, path: Path, base: Path) -> str:
    """The text of a feeds.yaml with sources added, all else as it stands. Raises ConfigError (an invalid file or entry,
    a doubled id) and UsageError (a doubled URL, or a layout that leaves no place)."""
    before = parse_config(text, path=path, base=base)
    wanted = list(before.sources)
    for values in entries:
        source = parse_source(values)
        if (same := known(replace(before, sources=tuple(wanted)), source.url)) is not None:
            raise UsageError(f"{path}: {source.url} is there already, as {same.id}; nothing was written")
        if any(s.id == source.id for s in wanted):
            raise UsageError(f"{path}: the id {source.id!r} is taken, ids are unique; nothing was written")
        wanted.append(source)
    expected = replace(before, sources=tuple(wanted))
    for candidate in _candidates(text, entries):
        try:
            after = parse_config(candidate, path=path, base=base)
        except ConfigError:
            continue
        if _meaning(after) == _meaning(expected):
            return candidate
    raise UsageError(
        f"{path}: found no place where the entry could be set in without touching what stands there; nothing was"
        f" written. Put it under `sources:` by hand:\n{''.join(block(e) for e in entries)}"
    )


def _meaning(config: Config) -> Config:
    """A config without what tells where in the file it stood."""
    return replace(config, sha256="", sources=tuple(replace(s, line=0) for s in config.sources))


def _candidates(text: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The text with the entries set in, in the ways that the layout of the list may ask for."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    node = next(value for key, value in root.value if key.value == "sources")
    newline = "\r\n" if "\r\n" in text else "\n"
    if node.flow_style:
        at = node.end_mark.index - 1
        flow = ", ".join(_yaml(dict(e), flow=True).strip() for e in entries)
        for lead in (", " if node.value else "", "", newline + ", "):
            yield text[:at] + lead + flow + text[at:]
        return
    column = _column(text, node)
    at, gap = _end_of_block(text, node, column), _gap(text, node)
    margin = " " * column
    lines = [
        margin + line if line else "" for e in entries for line in [*([""] if gap else []), *block(e).splitlines()]
    ]
    lead = "" if at == 0 or text[at - 1] in "\r\n" else newline
    yield text[:at] + lead + newline.join(lines) + newline + text[at:]


def _column(text: str, node: yaml.SequenceNode) -> int:
    """Of the dashes. A list with an anchor begins, for the parser, at the anchor."""
    at = node.start_mark.index
    if text[at] != "-":
        at = text.rfind("-", 0, node.value[0].start_mark.index)
    return at - text.rfind("\n", 0, at) - 1


def _end_of_block(text: str, node: yaml.Node, column: int) -> int:
    """Where the line behind the last value of a block ends, its comments with it: those that stand deeper than the
    dashes belong to the last entry, the others to what follows."""
    last = node
    while not getattr(last, "flow_style", True) and last.value:
        last = last.value[-1] if isinstance(last, yaml.SequenceNode) else last.value[-1][1]
    at = last.end_mark.index
    if at == 0 or text[at - 1] not in "\r\n":
        at = _line_end(text, at)
    while at < len(text):
        end = _line_end(text, at)
        line = text[at:end]
        if not line.lstrip(" ").startswith("#") or len(line) - len(line.lstrip(" ")) <= column:
            break
        at = end
    return at


def _line_end(text: str, at: int) -> int:
    """Behind the line break that follows, or the end of the text."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _gap(text: str, node: yaml.SequenceNode) -> bool:
    """Whether the entries of a list stand apart by an empty line."""
    if len(node.value) < 2:
        return False
    before = text[: node.value[-1].start_mark.index].splitlines()[:-1]
    while before and before[-1].lstrip().startswith("#"):
        before.pop()
    return bool(before) and not before[-1].strip()


def check(config: Config, entries: Sequence[Mapping[str, Any]]) -> tuple[bytes, bytes]:
    """(what the file of a config holds, what it would hold with these sources). Raises as `with_sources`."""
    raw = read_bytes(config.path)
    new = with_sources(decoded(raw, config.path), entries, path=config.path, base=config.base)
    return raw, (BOM if raw.startswith(BOM) else b"") + new.encode()


def require_writable(config: Config) -> None:
    """Raises UsageError for the feeds.yaml that comes with the program: an upgrade would take its changes away."""
    if config.path == packaged_config():
        raise UsageError(f"{config.path}: is the packaged file; `pakrus init` writes one of your own")


def write_sources(config: Config, entries: Sequence[Mapping[str, Any]]) -> None:
    """Adds sources to the file that a config was read from, which is replaced at once or not at all.

    Raises ConfigError and UsageError as `with_sources`, and StoreUnwritable.
    """
    require_writable(config)
    _, new = check(config, entries)
    place = config.path.resolve()  # a link stays one
    with whole_file(place, like=place) as file:
        file.write(new)
