"""`./run bench`: its quick form works, and its results make a table and a plot. Nothing here is timed."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
COSTS = {
    "placing & <more>": {"1000": 2.0, "10000": 3.0, "100000": 900.0},
    "free": {"1000": 0.0, "10000": 0, "100000": 0},
}


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_page", ROOT / "benchmarks" / "speed" / "page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


def test_a_quick_run_prints_its_rows_and_leaves_the_page_alone() -> None:
    before = (ROOT / "docs" / "benchmarks.md").read_bytes()
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "bench.py"), "--quick", "--only", "ledger"],
        capture_output=True, text=True, check=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert "the ledger, a visit of 40 items, 2 of them new: at 40,000 to 20,000 entries" in done.stdout
    assert (ROOT / "docs" / "benchmarks.md").read_bytes() == before


def test_a_row_says_what_is_wanted_and_whether_it_holds(page: ModuleType) -> None:
    rows = [
        page.Row(what="polling", ratio=0.654, most=0.7),
        page.Row(what="articles", ratio=3.25, figures="65 to 20 ms", least=5),
        page.Row(what="idle", ratio=0.0312, most=0.01, share=True),
        page.Row(what="a peer", ratio=None, most=0.7),
        page.Row(what="the search", ratio=134.6),
    ]
    assert page.table(rows).splitlines()[2:] == [
        "| polling | 0.65 | ≤ 0.7 | yes |  |",
        "| articles | 3.25 | ≥ 5 | no | 65 to 20 ms |",
        "| idle | 3.12% | ≤ 1% | no |  |",
        "| a peer | - | ≤ 0.7 |  |  |",
        "| the search | 135 |  |  |  |",
    ]


def test_a_plot_is_whole_and_inside_its_frame(page: ModuleType) -> None:
    svg = ElementTree.fromstring(page.plot(COSTS))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    lines = svg.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 1 + len(COSTS)
    for line in lines:
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height
    assert "placing & <more>: 450 times" in [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
