"""The documentation is true: its commands run on a demo, its shapes hold, its links and paths lead somewhere."""

import json
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from crawler.cli import cli
from tests.pages import ROOT, Block, blocks, furnish, links, shell

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")])
BLOCKS = [block for page in PAGES for block in blocks(page)]
GENERATED = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]
ON_DEMO = [block for block in BLOCKS if block.info == "sh demo"]


@pytest.fixture(scope="module")
def folder(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as a reader of README has it after `./run demo`."""
    folder = tmp_path_factory.mktemp("checkout")
    furnish(folder)
    (folder / "var").mkdir()
    (folder / "var" / "demo").symlink_to(demo)
    return folder


@pytest.mark.parametrize("block", ON_DEMO, ids=lambda b: f"{b.page}:{b.line}")
def test_command_works_on_the_demo(block: Block, folder: Path) -> None:
    done = shell(block.text, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "prints nothing"
    assert "nothing found" not in done.stdout
    named = re.findall(r"`([^`]+)`", block.after.split(". ")[0])
    if block.after.startswith("Columns:"):
        assert done.stderr.strip().split("|") == _listed(block), "the columns are others than the page says"
    elif block.after.startswith("Keys:"):
        value = json.loads(done.stdout)
        assert value, "finds nothing"
        first = value[0] if isinstance(value, list) else value
        assert set(_listed(block)) <= first.keys()
    else:
        assert not named or "--json" not in block.text


def _listed(block: Block) -> list[str]:
    """The names between the colon and the full stop after the block."""
    text = (DOCS / block.page).read_text("utf-8").split(block.text, 1)[1]
    match = re.search(r"(?:Columns|Keys): ([^.]*)\.", text)
    assert match
    return re.findall(r"`([^`]+)`", match[1])


def test_readme_has_ten_questions_and_queries_twenty() -> None:
    readme = [b for b in ON_DEMO if b.page == "README.md"]
    assert len(readme) == 10
    questions = re.findall(r"^### (\d+)\. ", (DOCS / "queries.md").read_text("utf-8"), re.MULTILINE)
    assert questions == [str(n) for n in range(1, 21)]


def test_every_query_of_the_page_finds_something_it_names() -> None:
    shaped = [b for b in ON_DEMO if b.page == "queries.md" and b.after.startswith(("Columns:", "Keys:"))]
    assert len(shaped) >= 19


# --- commands that are not run: their verbs and options exist


def _commands() -> list[tuple[str, list[str]]]:
    found = []
    for block in BLOCKS:
        if not block.info.startswith(("sh", "ini")):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            match = re.search(r"(?:^|\| |&& |^ExecStart=\S*/)(?:\./run|pakrus) ([^|>]*)", line)
            if match and not block.info.endswith("demo"):
                found.append((f"{block.page}:{block.line}", shlex.split(match[1], comments=True)))
    return found


RUN_WORDS = {"test", "check", "gate", "bench", "lock", "docs"}  # of ./run itself


def _parse(words: list[str]) -> None:
    """Walks down the verbs, and looks each option up; the value of one is passed over."""
    command: click.Command = cli
    known = {option: param for param in cli.params for option in param.opts}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            assert word in known, f"{command.name} has no {word}"
            option = known[word]
            if isinstance(option, click.Option) and not option.is_flag:
                rest.pop(0)
        elif isinstance(command, click.Group):
            assert word in command.commands, f"there is no verb {word!r}"
            command = command.commands[word]
            known |= {option: param for param in command.params for option in param.opts}


@pytest.mark.parametrize(("where", "words"), _commands())
def test_command_that_is_shown_exists(where: str, words: list[str]) -> None:
    if words[0] not in RUN_WORDS:
        _parse(words)


def test_words_of_run_are_in_the_script() -> None:
    script = (ROOT / "run").read_text("utf-8")
    for word in RUN_WORDS:
        assert f"\n    {word})" in script, f"./run does not know {word}"
        assert re.search(rf"^\s*'  {word}\b", script, re.MULTILINE), f"./run does not list {word} in its usage"


# --- generated pages, and completeness


def test_generated_pages_are_what_the_program_gives() -> None:
    for name, make in GENERATED.items():
        assert (DOCS / name).read_text("utf-8") == make(), f"docs/{name} is stale, type ./run docs"


def test_every_verb_is_in_the_reference() -> None:
    text = (DOCS / "reference.md").read_text("utf-8")
    for name, command in cli.commands.items():
        names = [f"{name} {sub}" for sub in command.commands] if isinstance(command, click.Group) else [name]
        for full in names:
            assert f"## pakrus {full}\n" in text


def test_every_key_of_feeds_yaml_is_explained() -> None:
    from crawler import config

    text = (DOCS / "run.md").read_text("utf-8")
    tables = (config._TOP, config._DIGEST, config._CRAWL, config._KEEP, config._SOURCE)
    missing = [
        key for table in tables for key in table if not re.search(rf"^\| `(?:[\w.]+\.)?{key}`", text, re.MULTILINE)
    ]
    assert not missing, f"docs/run.md does not explain {missing}"


def test_every_key_of_an_edition_is_explained(demo: Path) -> None:
    (stored, *_) = (demo / "digests").glob("latest.json")
    text = (DOCS / "digest.md").read_text("utf-8")
    missing = sorted(key for key in _keys(json.loads(stored.read_text("utf-8"))) if f"`{key}`" not in text)
    assert not missing, f"docs/digest.md does not explain {missing}"


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for child in value.values() for key in _keys(child)}
    if isinstance(value, list):
        return {key for child in value for key in _keys(child)}
    return set()


# --- links and paths


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in _anchors(target), f"{link}: there is no such heading"


def _anchors(page: Path) -> set[str]:
    """GitHub's: lower case, blanks as hyphens, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


PATHS = re.compile(r"`((?:crawler|store|docs|tests|benchmarks)/[\w./-]*)`")


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "extending.md"], ids=lambda p: p.name)
def test_paths_that_are_named_exist(page: Path) -> None:
    for path in PATHS.findall(page.read_text("utf-8")):
        assert (ROOT / path).exists(), f"{path} does not exist"


def test_the_map_names_every_module_and_folder() -> None:
    """README's table: each module and each package of crawler/ is in it."""
    text = (ROOT / "README.md").read_text("utf-8")
    for path in (ROOT / "crawler").iterdir():
        if path.name.startswith("__") or path.suffix not in ("", ".py") or path.name == "feeds.yaml":
            continue
        assert f"{path.name}{'/' if path.is_dir() else ''}`" in text, f"the map does not name {path.name}"


def test_the_table_of_rooms_is_the_contract() -> None:
    """architecture.md lists the layers of pyproject.toml, in their order."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    rooms = [set(layer.split(" : ")) for layer in layers if layer != "__main__"]
    table = re.findall(r"^\| (`[^|]+) \|", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE)
    named = [room for row in table for room in re.findall(r"`(\w+)`", row)]
    assert set(named) == set().union(*rooms)
    depth = {room: number for number, layer in enumerate(rooms) for room in layer}
    assert [depth[room] for room in named] == sorted(depth[room] for room in named)
