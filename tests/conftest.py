"""What several test files share and is dear to make."""

from pathlib import Path

import pytest

from tests.crawled import Crawled, crawl_three_times


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that has run: feeds.yaml, news.db, digests/. Nobody may change it."""
    from crawler.demo.show import show

    folder = tmp_path_factory.mktemp("demo")
    show(folder, now=None)
    return folder


@pytest.fixture(scope="session")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """The demo's newsroom after three undisturbed passes. Nobody may change it."""
    return crawl_three_times(tmp_path_factory.mktemp("crawled"))
