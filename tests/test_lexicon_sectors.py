"""The sector files: all nineteen, in three scripts, without a term that its own sector masks or doubles."""

import re

import pytest

from crawler.lexicon import slices

SECTORS = slices.read(slices.paths([slices.HOME])).sectors
NAMES = (
    "agriculture culture defence diplomacy disaster education energy finance health industry labour media regulation "
    "security sport technology tourism trade transport"
).split()


def test_every_sector_of_the_guide_has_its_file() -> None:
    assert sorted(SECTORS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sector_is_named_and_worded_in_three_languages(name: str) -> None:
    sector = SECTORS[name]
    assert set(sector.names) == set(sector.terms) == {"en", "ru", "ur"}
    for by_weight in sector.terms.values():
        assert {"1", "2", "3", "not"} >= set(by_weight)
        assert sum(len(terms) for weight, terms in by_weight.items() if weight != "not") >= 60


@pytest.mark.parametrize("name", NAMES)
def test_a_sector_has_media_topics(name: str) -> None:
    assert SECTORS[name].iptc
    assert all(re.fullmatch(r"medtop:\d{8}", code) for code in SECTORS[name].iptc)


@pytest.mark.parametrize("name", NAMES)
def test_a_term_of_a_sector_is_not_masked_by_the_same_sector(name: str) -> None:
    for language, by_weight in SECTORS[name].terms.items():
        masks = {(t.text.lower(), t.prefix) for t in by_weight.get("not", ())}
        terms = {(t.text.lower(), t.prefix) for w, ts in by_weight.items() if w != "not" for t in ts}
        assert not masks & terms, language


@pytest.mark.parametrize("name", NAMES)
def test_a_star_stands_at_the_end_of_a_term_only(name: str) -> None:
    terms = [t for by_weight in SECTORS[name].terms.values() for ts in by_weight.values() for t in ts]
    assert [t.text for t in terms if "*" in t.text] == []
