"""A source set into feeds.yaml: what stood there stays to the byte, and the whole says one source more."""

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import feedsfile
from crawler.config import Config, packaged_config, parse_config, read_config
from crawler.errors import ConfigError, UsageError

NEW = {"id": "volna", "name": "Волна: новости", "url": "https://volna.test/rss", "kind": "feed", "country": "RU"}
URDU = {"id": "subh", "name": "صبح «آج»", "url": "https://subh.test/feed", "kind": "feed", "language": "ur"}

LAYOUTS = {
    "the usual one": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n",
    "no line break at the end": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed",
    "dashes in the first column": "sources:\n- id: a\n  url: http://a.test/\n  kind: feed\n",
    "keys behind the list": "sources:\n- id: a\n  url: http://a.test/\n  kind: feed\n# keep\nkeep: {requests: 3d}\n",
    "an empty list": "topic: pakistan-russia\nsources: []\n",
    "an empty list with a comment": "sources: [ # none yet\n]\ntimezone: Asia/Karachi\n",
    "a list in brackets": "sources: [{id: a, url: 'http://a.test/', kind: feed}]\n",
    "a comma at the end": "sources: [\n  {id: a, url: 'http://a.test/', kind: feed}, # last\n]\n",
    "a comment before the bracket": "sources: [\n  {id: a, url: 'http://a.test/', kind: feed} # last\n]\n",
    "entries in braces": "sources:\n  - {id: a, url: 'http://a.test/', kind: feed} # one\n",
    "JSON": '{"sources": [{"id": "a", "url": "http://a.test/", "kind": "feed"}], "timezone": "UTC"}\n',
    "carriage returns": "sources:\r\n  - id: a\r\n    url: http://a.test/\r\n    kind: feed\r\n\r\nkeep: {}\r\n",
    "a folded name at the end": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    name: >-\n      one\n"
    "      line\n\n# the end\n",
    "a kept block at the end": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    country: |-\n      PK\n"
    "timezone: UTC\n",
    "wide dashes": "sources:\n    -   id: a\n        url: http://a.test/\n        kind: feed\n",
    "a quoted name over two lines": 'sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    name: "one\n'
    '      two" # why\n',
    "explicit keys": "? sources\n: - id: a\n    url: http://a.test/\n    kind: feed\n",
    "document marks": "%YAML 1.1\n---\nsources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n...\n",
    "a comment of the last entry": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    # selector: .x\n"
    "  # --- Russia\n",
    "an anchor": "sources: &all\n  - &a\n    id: a\n    url: http://a.test/\n    kind: feed\n",
    "astral signs before it": "# 🛰️ 𝒳\nsources:\n  - id: a # 🛰️\n    url: http://a.test/\n    kind: feed # 𝒳\n",
    "an empty last value": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    selector:\n",
    "an empty last value and more": "sources:\n  - id: a\n    url: http://a.test/\n    kind: feed\n    selector:   # none\n\n"
    "\n# next\ntimezone: UTC\n",
}  # fmt: skip


def added(text: str, *entries: dict[str, str]) -> str:
    return feedsfile.with_sources(text, entries, path=Path("feeds.yaml"), base=Path())


def is_kept(before: str, after: str) -> bool:
    """Whether one piece was set in and nothing else happened."""
    new = len(after) - len(before)
    return any(after[:at] + after[at + new :] == before for at in range(len(before) + 1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_entry_is_set_in_and_no_byte_of_the_file_changes(layout: str) -> None:
    text = LAYOUTS[layout]
    after = added(text, NEW, URDU)
    assert is_kept(text, after)
    config = parse_config(after)
    assert [s.id for s in config.sources][-2:] == ["volna", "subh"]
    assert [s.name for s in config.sources][-2:] == [NEW["name"], URDU["name"]]


def test_a_comment_of_the_last_entry_stays_with_it_and_one_of_the_next_part_stays_behind() -> None:
    after = added(LAYOUTS["a comment of the last entry"], NEW)
    assert after.index("# selector") < after.index("volna") < after.index("# --- Russia")


def test_the_packaged_file_grows_by_the_entry_alone() -> None:
    text = packaged_config().read_text("utf-8")
    after = added(text, NEW)
    assert after == text + "\n" + "".join(f"  {line}\n" for line in feedsfile.block(NEW).splitlines())


PIECES = st.text("ab: #-'{}[],&*!|>%@`", min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(PIECES, max_size=4),
    new=PIECES,
    flow=st.sampled_from([None, True, False]),
    indent=st.integers(2, 6),
    style=st.sampled_from([None, "'", '"']),
    behind=st.sampled_from(["", "timezone: UTC\n", "# end\n", "\n\n# a\n  # b\n      # c\n"]),
)
def test_whatever_the_layout_the_file_says_one_source_more(
    names: list[str], new: str, flow: bool | None, indent: int, style: Any, behind: str
) -> None:
    listed = [{"id": f"s{i}", "kind": "feed", "url": f"http://s{i}.test/", "name": n} for i, n in enumerate(names)]
    text = yaml.dump({"sources": listed}, default_flow_style=flow, indent=indent, default_style=style) + behind
    if flow and behind.startswith("timezone"):
        text = text.removesuffix(behind)
    try:
        before = parse_config(text)
    except ConfigError:
        return
    after = added(text, {**NEW, "name": new})
    assert is_kept(text, after)
    assert [(s.id, s.name) for s in parse_config(after).sources] == [
        *((s.id, s.name) for s in before.sources), ("volna", new)
    ]  # fmt: skip


HOSTILE = [
    "x: y # z", "- a", "'", '"', "{a: b}", "&a", "*a", "!!python/object:os.system", "%TAG", "@", "`", "| ", "yes", "no",
    "null", "1e3", "0x1f", "2026-11-25", "a\\nb", "...", "---", "? ", "<<", "=", "پاکستان: «روس»", "Россия # и", "🛰️: x",
    "a\u00a0b", "<script>", "\\", "a, b", "[", "]",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("layout", ["the usual one", "a list in brackets", "carriage returns"])
def test_a_hostile_title_is_a_name_and_nothing_else(name: str, layout: str) -> None:
    config = parse_config(added(LAYOUTS[layout], {**NEW, "name": feedsfile.guess_name(name, "http://x.test/")}))
    assert config.sources[-1].name == " ".join(name.replace("\u00a0", " ").split())


@pytest.mark.parametrize("sign", ["\n", "\r", "\x85", "\u2028", "\u2029", "\ufeff", "\x1b", "\x00", "\u202e", "\ud800"])
def test_breaks_and_controls_of_a_title_are_blanks(sign: str) -> None:
    assert feedsfile.guess_name(f"a{sign}kind: spider", "http://x.test/") == "a kind: spider"


def test_a_title_of_nothing_or_without_end_is_no_name() -> None:
    assert feedsfile.guess_name("\n\u200b ", "http://www.x.test/") == "x.test"
    assert len(feedsfile.guess_name("я" * 10_000, "http://x.test/")) == 80


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({**NEW, "id": "a"}, "the id 'a' is taken"),
        ({**NEW, "url": "https://www.a.test"}, "is there already, as a"),
        ({**NEW, "url": "ftp://a.test/"}, "is no URL"),
        ({**NEW, "kind": "blog"}, "kind: 'blog' is not known"),
        ({**NEW, "country": "Pakistan"}, "two capitals"),
    ],
)
def test_what_cannot_be_added_is_an_error(entry: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        added(LAYOUTS["the usual one"], entry)


def test_a_layout_without_a_place_is_refused_with_the_entry_to_set_in_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedsfile, "_candidates", lambda text, entries: [text, "sources: ["])
    with pytest.raises(UsageError, match=r"nothing was written.*\n- id: volna"):
        added(LAYOUTS["the usual one"], NEW)


def config_at(path: Path, text: str) -> Config:
    path.write_bytes(text.encode())
    return read_config(path, path.parent)


def test_the_file_keeps_its_mode_its_mark_and_the_link_to_it(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "feeds.yaml"
    config_at(real, "\ufeff" + LAYOUTS["the usual one"])
    real.chmod(0o600)
    link.symlink_to(real)
    feedsfile.write_sources(read_config(link, tmp_path), [NEW])
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert real.read_bytes().startswith(b"\xef\xbb\xbfsources:")
    assert read_config(link, tmp_path).sources[-1].id == "volna"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["feeds.yaml", "real.yaml"]


def test_a_file_that_was_edited_meanwhile_keeps_the_edit(tmp_path: Path) -> None:
    config = config_at(tmp_path / "feeds.yaml", LAYOUTS["the usual one"])
    (tmp_path / "feeds.yaml").write_text(LAYOUTS["the usual one"] + "timezone: Europe/Moscow\n", "utf-8")
    feedsfile.write_sources(config, [NEW])
    now = read_config(tmp_path / "feeds.yaml", tmp_path)
    assert (str(now.timezone), len(now.sources)) == ("Europe/Moscow", 2)


def test_a_file_that_was_spoiled_meanwhile_is_left_alone(tmp_path: Path) -> None:
    config = config_at(tmp_path / "feeds.yaml", LAYOUTS["the usual one"])
    (tmp_path / "feeds.yaml").write_text("sources: {", "utf-8")
    with pytest.raises(ConfigError):
        feedsfile.write_sources(config, [NEW])
    assert (tmp_path / "feeds.yaml").read_text("utf-8") == "sources: {"


def test_the_packaged_file_is_not_written_to() -> None:
    config = read_config(packaged_config(), Path())
    with pytest.raises(UsageError, match="pakrus init"):
        feedsfile.write_sources(config, [NEW])


@pytest.mark.parametrize(
    ("url", "taken", "id_"),
    [
        ("https://www.dawn.com/feeds/world", (), "dawn"),
        ("https://www.dawn.com/feeds/world", ("dawn",), "dawn-world"),
        ("https://www.dawn.com/feeds/world", ("dawn", "dawn-world"), "dawn-world-2"),
        ("https://tribune.com.pk/feed/home", (), "tribune"),
        ("https://t.me/s/MID_Russia", (), "telegram-mid-russia"),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=UCab_D", (), "youtube-ucab-d"),
        ("https://пример.рф/rss", (), "xn-e1afmkfd"),
        ("http://127.0.0.1/", (), "127-0-0"),
        ("http://localhost:8080/rss", (), "localhost"),
        ("https://x.test/" + "a" * 500, ("x",), "x-" + "a" * 40),
    ],
)
def test_an_id_is_made_from_the_address(url: str, taken: tuple[str, ...], id_: str) -> None:
    assert feedsfile.guess_id(url, taken=taken) == id_


@pytest.mark.parametrize(
    ("url", "language", "country"),
    [
        ("https://ria.ru/", "ru", "RU"),
        ("https://пример.рф/", "", "RU"),
        ("https://jang.com.pk/", "ur", "PK"),
        ("https://www.bbc.co.uk/urdu", "ur", "GB"),
        ("https://khabar.test/", "ur", "PK"),
        ("https://khabar.test/", "ru", ""),
        ("https://news.tv/", "en", ""),
        ("https://t.me/s/x", "ru", ""),
    ],
)
def test_a_country_is_told_by_the_domain(url: str, language: str, country: str) -> None:
    assert feedsfile.guess_country(url, language) == country
