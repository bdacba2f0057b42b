"""The commands of README, start.md and run.md that are for sources of one's own: each is run, in its order, on sites on loopback.

Those that the pages show on the demo are run by test_docs.py, those of extending.md by test_extending.py. What needs
root, another program or an image builder is listed here with what stands in for it.
"""

import json
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.desk import about
from tests.builders import config
from tests.newsroom import Newsroom, article, item
from tests.pages import ROOT, blocks, furnish, shell
from tests.test_docs import PAGES, _parse

NOW = "2026-11-25T12:00:00Z"
PATIENCE_S = 60.0
ELSEWHERE = {
    "./run test": "is this",
    "./run demo": "tests/test_docs.py, on what it leaves",
    "pakrus demo": "tests/test_install.py",
    "pakrus init": "tests/test_install.py",
    "pakrus status": "tests/test_install.py",
}
FOREIGN = {
    "pipx install": "tests/test_install.py puts the wheel into an empty environment",
    "python3 -m": "likewise",
    "useradd --system": "needs root",
    "install -d": "needs root",
    "install -m": "needs root",
    "sudo -u": "needs root",
    "systemctl": "tests/test_systemd.py reads the unit, and has systemd verify it",
    "podman": "tests/test_container.py reads the Containerfile",
}
TITLES = {
    "dawn.com": "Pakistan and Russia agree on wheat",
    "vestnik.ru": "Пакистан и Россия договорились о пшенице",
    "subh.pk": "پاکستان اور روس میں گندم پر اتفاق",
}
TEXTS = {
    "dawn.com": "Pakistan and Russia signed an agreement on wheat in Islamabad on Tuesday, the Russian embassy said.",
    "vestnik.ru": "Пакистан и Россия подписали в Исламабаде соглашение о поставках пшеницы, сообщило посольство России.",
    "subh.pk": "پاکستان اور روس نے اسلام آباد میں گندم کی فراہمی کے معاہدے پر دستخط کیے، روسی سفارت خانے نے بتایا۔",
}


def commands(page: str, info: str = "sh") -> list[tuple[str, str]]:
    """(place, command) of each line of a page's blocks, without its comment."""
    out = []
    for block in blocks(ROOT / page):
        if block.info == info:
            for number, line in enumerate(block.text.replace("\\\n", " ").splitlines(), block.line + 1):
                command = re.sub(r"\s{2,}#.*", "", line).strip()
                out += [(f"{Path(page).name}:{number}", command)] if command else []
    return out


SHOWN = [*commands("README.md"), *commands("docs/start.md"), *commands("docs/run.md")]


def kind(command: str) -> str:
    """``run``, ``elsewhere``, ``foreign`` or ``unknown``."""
    start = " ".join(command.split()[:2])
    if start in ELSEWHERE:
        return "elsewhere"
    if any(start.startswith(foreign) for foreign in FOREIGN):
        return "foreign"
    return "run" if command.startswith(("./run ", "journalctl ")) else "unknown"


# What stands on several pages is run once.
OURS = sorted(((p, c) for c, p in {c: p for p, c in reversed(SHOWN) if kind(c) == "run"}.items()), key=SHOWN.index)


def test_every_command_is_run_or_listed_with_what_stands_in_for_it() -> None:
    assert [c for c in SHOWN if kind(c[1]) == "unknown"] == []
    assert len(OURS) >= 12
    assert {" ".join(c.split()[:2]) for _, c in SHOWN if kind(c) == "elsewhere"} == ELSEWHERE.keys()
    covered = {"README.md", "start.md", "run.md", "extending.md", "reading.md", "benchmarks.md"}
    others = [p.name for p in PAGES if p.name not in covered and any(b.info == "sh" for b in blocks(p))]
    assert others == [], "pages whose commands nobody runs"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout, and a watch/feeds.yaml over three sites on loopback in three languages."""
    folder = tmp_path_factory.mktemp("desk")
    furnish(folder)
    (folder / "watch").mkdir()
    (folder / "subscriptions.opml").write_text(
        '<opml version="2.0"><body><outline text="Subh" type="rss" xmlUrl="http://subh.pk/rss"/></body></opml>', "utf-8"
    )
    with Newsroom() as newsroom:
        for number, (host, title) in enumerate(TITLES.items()):
            site = newsroom.site(host)
            link = '<link rel="alternate" type="application/rss+xml" href="/rss">'
            for front in ("/", "/business"):
                site.page(front, f"<!doctype html><html><head><title>{host}</title>{link}</head><body></body></html>")
            site.feed("/rss", [item(title, "/1", f"Wed, 25 Nov 2026 0{number + 1}:00:00 GMT")], title=host)
            site.page("/1", article(title, [TEXTS[host]] * 6, published=f"2026-11-25T0{number + 1}:00:00Z"))
        newsroom.site("www.dawn.com").redirect("/business", "http://dawn.com/business")
        crawl = {
            "contact": "mailto:a@b.example", "allow_private_addresses": ["127.0.0.0/8"], "per_host_delay": "0s",
            "resolve": newsroom.resolve(),
        }  # fmt: skip
        (folder / "watch" / "feeds.yaml").write_text(
            f"database: var/news.db\ncrawl: {json.dumps(crawl)}\nsources:\n"
            '  - {id: vestnik, url: "http://vestnik.ru/rss", kind: feed, country: RU, language: ru}\n',
            "utf-8",
        )
        yield folder


def shown(command: str) -> str:
    """As it is run: the sites of the tests have no certificates."""
    command = command.replace("https://www.dawn.com", "http://dawn.com").replace(" dawn.com", " http://dawn.com")
    return f"{command} --now {NOW}" if command.startswith("./run ") else command


@pytest.mark.parametrize(("place", "command"), OURS, ids=[place for place, _ in OURS])
def test_command_does_what_the_page_says(place: str, command: str, desk: Path) -> None:
    words = shlex.split(command)
    verb = words[1]
    if verb == "run":
        log = daemon(desk, words[2:])
        assert '"event": "stopped"' in log
        return
    if verb == "init":
        desk = desk / place.replace(":", "-")
        furnish(desk)
    if verb == "restore":
        copy = words[2]
        assert shell(f"./run backup {copy} --config watch/feeds.yaml", desk).returncode == 0
    if words[0] == "journalctl":
        if shutil.which("jq") is None:
            pytest.skip("jq is not installed")
        written = desk / "daemon.log"  # of the command further up, where that was run
        log = written.read_text("utf-8") if written.exists() else daemon(desk, ["--config", "watch/feeds.yaml"])
        (desk / "log").write_text(log + '{"at": "x", "source": "vestnik", "error": "گندم"}\n', "utf-8")
        command = command.replace(command.split(" | ")[0], "cat log")
    if verb == "sources" and words[2] == "add" and "dawn" in (desk / "watch" / "feeds.yaml").read_text("utf-8"):
        forget_dawn(desk)
    done = shell(shown(command), desk)
    assert "Traceback" not in done.stderr
    # These answer with 1 where something is to be mended, as it may be on this machine.
    assert done.returncode in ((0, 1) if verb in ("status", "doctor") else (0,)), done.stdout + done.stderr
    assert done.stdout.strip(), "prints nothing"
    if verb == "init":
        assert (desk / words[2] / "feeds.yaml").exists()
    if words[0] == "journalctl":
        assert done.stdout.split() == ["x", "vestnik", "گندم"]


def forget_dawn(desk: Path) -> None:
    """Two places of the pages add it."""
    path = desk / "watch" / "feeds.yaml"
    path.write_text(re.split(r"\n(?=\s*- id: (?:www-)?dawn)", path.read_text("utf-8"))[0] + "\n", "utf-8")


def daemon(desk: Path, words: list[str]) -> str:
    """The log of a daemon that was stopped when it had crawled."""
    with (desk / "daemon.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, "-m", "crawler", "run", *words, "--now", NOW], cwd=desk, stderr=log)
        try:
            until = time.monotonic() + PATIENCE_S
            while '"event": "watching' not in (text := (desk / "daemon.log").read_text("utf-8")):
                assert time.monotonic() < until and process.poll() is None, text
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    return (desk / "daemon.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("place", "command"), [c for c in SHOWN if c[1].startswith(("podman run", "podman exec", "sudo"))]
)
def test_what_others_are_told_to_run_are_verbs_of_ours(place: str, command: str) -> None:
    words = shlex.split(command)
    last = len(words) - 1 - next(n for n, word in enumerate(reversed(words)) if Path(word).name == "pakrus")
    if words[last + 1 :]:
        _parse(words[last + 1 :])


@pytest.mark.parametrize(("place", "command"), commands("docs/reading.md") + commands("docs/benchmarks.md"))
def test_a_benchmark_that_is_named_takes_the_words_it_is_given(place: str, command: str) -> None:
    _, script, *words = shlex.split(command.replace("./run bench", "python benchmarks/bench.py"))
    done = subprocess.run(
        [sys.executable, ROOT / script, "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    for word in words:
        assert not word.startswith("--") or word in done.stdout


# --- queries and fragments of other files


@pytest.mark.parametrize(
    ("page", "text"), [(p.name, b.text) for p in PAGES for b in blocks(p) if b.info == "sql"], ids=lambda x: x[:12]
)
def test_a_query_finds_something_in_the_demo(page: str, text: str, demo: Path) -> None:
    connection = sqlite3.connect(f"{(demo / 'news.db').as_uri()}?mode=ro", uri=True)
    connection.create_function("search", 1, about.expression)  # as the desk has it
    assert connection.execute(text).fetchall()
    connection.close()


FRAGMENTS = [b for b in blocks(ROOT / "docs" / "run.md") if b.info == "yaml"]


def test_the_fragments_of_feeds_yaml_are_valid_together() -> None:
    text = "".join(b.text for b in FRAGMENTS if "expr:" not in b.text)
    loaded = config(f"{text}sources: []\n")
    assert (loaded.metrics.listen, len(loaded.digest.send), len(loaded.alerts)) == (("127.0.0.1", 9464), 3, 3)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_the_alarms_are_rules_of_prometheus(tmp_path: Path) -> None:
    (rules,) = [b.text for b in FRAGMENTS if "expr:" in b.text]
    path = tmp_path / "rules.yaml"
    path.write_text("groups:\n- name: pakrus\n  rules:\n" + "".join(f"  {line}\n" for line in rules.splitlines()))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alarms_ask_for_figures_that_there_are() -> None:
    (rules,) = [b.text for b in FRAGMENTS if "expr:" in b.text]
    source = (ROOT / "crawler" / "metrics.py").read_text("utf-8")
    for name in re.findall(r"pakrus_(\w+)", rules):
        assert f'_gauge("{name}"' in source
