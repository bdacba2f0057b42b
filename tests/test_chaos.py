"""Faults and kills at random, by seeds; benchmarks/chaos.py does a hundred of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import FAULTS, Knowledge, Troubled, trial, undisturbed

SITES = ("awaz-e-lahore", "margalla-post", "national-wire", "volga-telegraph", "don-gazette", "ural-delo")


@pytest.fixture(scope="module")
def papers() -> Iterator[Troubled]:
    with Troubled(SITES) as troubled:
        yield troubled


@pytest.fixture(scope="module")
def calm(papers: Troubled, tmp_path_factory: pytest.TempPathFactory) -> tuple[Knowledge, int]:
    return undisturbed(papers, tmp_path_factory.mktemp("calm"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_faults_and_kills_it_is_what_a_calm_crawl_comes_to(
    seed: int, papers: Troubled, calm: tuple[Knowledge, int], tmp_path: Path
) -> None:
    undisturbed_, requests = calm
    found, problems = trial(papers, tmp_path, seed=seed, requests=requests)
    assert problems == []
    assert found.differences(undisturbed_) == []


def test_the_trial_is_one(papers: Troubled, calm: tuple[Knowledge, int]) -> None:
    knowledge, requests = calm
    assert len(knowledge.articles) > 25
    assert knowledge.copies
    assert len(knowledge.stories) < len(knowledge.articles)
    assert requests > 50
    spoiled = sum(n for fault, n in papers.faults.items() if fault != "none")
    assert spoiled > 20
    assert len(papers.faults) > len(FAULTS) // 2
