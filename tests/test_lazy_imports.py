"""What `status` and `search` load: an analyst asks them a hundred times a day, and each library costs its import."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("scrapy", "twisted", "apscheduler", "trafilatura", "pydantic", "pymorphy3", "aiohttp", "feedparser", "lxml")

PROBE = """
import sys
from crawler.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
sys.stdout.flush()
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        pytest.param(["status"], (0, 1), id="status"),
        pytest.param(["search", "Россия"], (0,), id="search"),
        pytest.param(["explain", "1"], (0,), id="explain"),
        pytest.param(["audit"], (0,), id="audit"),
        pytest.param(["--help"], (0,), id="help"),
    ],
)
def test_verb_loads_nothing_heavy(arguments: list[str], allowed: tuple[int, ...], demo: Path) -> None:
    command = [sys.executable, "-c", PROBE, "--config", str(demo / "feeds.yaml"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in allowed, done.stderr
    assert done.stdout.strip()
    loaded = done.stderr.rpartition("loaded:")[2].split()
    assert "crawler" in loaded, done.stderr
    assert not set(HEAVY) & set(loaded)
