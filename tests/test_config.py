"""feeds.yaml: every mistake at once with its line; the packaged file is right."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Config, duration, find_config, packaged_config, parse_config, read_config, size
from crawler.errors import ConfigError, UsageError

CASES = sorted((Path(__file__).parent / "cases" / "config").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_mistake_is_named_with_its_line(case: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(case.read_text("utf-8"))
    assert list(caught.value.mistakes) == case.with_suffix(".txt").read_text("utf-8").splitlines()


def test_an_empty_source_list_takes_all_defaults() -> None:
    config = parse_config("sources: []")
    assert config.timezone == ZoneInfo("Asia/Karachi")
    assert config.crawl.agent == "pakrus/0.1 (+https://example.org/bot)"
    assert config.keep.requests_s == 14 * 86_400


def test_pages_are_all_fetched_at_home_and_chosen_elsewhere() -> None:
    config = parse_config(
        """
sources:
  - {id: pk, url: "http://a.test/", kind: feed, country: PK}
  - {id: ru, url: "http://b.test/", kind: feed, country: RU}
  - {id: qa, url: "http://c.test/", kind: feed, country: QA}
  - {id: search, url: "http://d.test/", kind: feed, country: none, role: witness}
"""
    )
    assert [s.fetch_pages for s in config.sources] == ["all", "all", "candidates", "never"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "- a\n- b",
        "sources: 7",
        "sources: [7]",
        "a: [",
        "a: &x [*x]\nsources: []",
        "[" * 5000,
        "sources: !!python/object/apply:os.system [ls]",
        "\x00",
        "{a: b: c}",
        "? [a]\n: b\nsources: []",
    ],
)
def test_what_is_no_config_is_a_config_error_and_nothing_else(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert all(line.startswith("feeds.yaml:") for line in caught.value.mistakes)


def test_a_yaml_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(ConfigError):
        parse_config("\n".join(lines))


@given(st.text(max_size=200))
def test_any_text_parses_or_is_a_config_error(text: str) -> None:
    try:
        assert isinstance(parse_config(text), Config)
    except ConfigError as error:
        assert error.mistakes


@given(st.integers(0, 999), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]))
def test_durations_are_a_number_and_a_unit(number: int, unit: tuple[str, int]) -> None:
    assert duration(f"{number}{unit[0]}") == number * unit[1]


def test_sizes_are_powers_of_ten() -> None:
    assert (size("10MB"), size("1.5kB"), size("2GB")) == (10_000_000, 1500, 2_000_000_000)


def test_the_packaged_file_has_eighty_sources_in_three_languages() -> None:
    path = packaged_config()
    config = read_config(path, path.parent)
    sources = [s for s in config.enabled if s.role == "source"]
    assert len(sources) >= 80
    assert {s.language for s in sources} == {"en", "ru", "ur"}
    assert {"PK", "RU"} < {s.country for s in sources}
    assert {s.kind for s in sources} >= {"feed", "sitemap", "listing"}
    assert all(s.zone and s.language and s.every_s >= 900 for s in config.sources)
    assert all(s.fetch_pages == "never" for s in config.sources if s.role == "witness")


def test_every_disabled_source_says_why() -> None:
    text = packaged_config().read_text("utf-8")
    assert all("#" in line for line in text.splitlines() if "enabled: false" in line)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_config(tmp_path / "feeds.yaml", tmp_path)


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_bytes("topic: x\n# Вестник\nsources: []\n".encode("cp1251"))
    with pytest.raises(ConfigError, match=r":2: file: is not UTF-8"):
        read_config(path, tmp_path)


def test_the_config_at_hand_goes_before_the_packaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config(None) == (packaged_config(), Path())
    (tmp_path / "feeds.yaml").write_text("sources: []")
    assert find_config(None) == (Path("feeds.yaml"), Path())
    assert find_config(Path("x/feeds.yaml")) == (Path("x/feeds.yaml"), Path("x"))


def test_an_unknown_source_is_answered_with_its_neighbours() -> None:
    config = parse_config("sources: [{id: dawn-world, url: 'http://a.test/', kind: feed}]")
    with pytest.raises(UsageError, match="did you mean dawn-world"):
        config.source("dawn-wrold")
