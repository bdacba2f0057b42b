"""What a terminal is shown: folded at its width, coloured by ourselves alone; what is piped stays as it is."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.terminal import folded, painted, plain, table, wide

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(folder: Path, *words: str, **more: str) -> str:
    """What a verb writes to a terminal of 80 columns."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "crawler", "--config", str(folder / "feeds.yaml"), *words]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", **more}
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(follower)
        told = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # Linux: the other end was closed
                break
            if not piece:
                break
            told += piece
    os.close(leader)
    assert process.returncode in (0, 1)
    return told.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "words",
    [["status"], ["search", "Россия"], ["search", "گندم"], ["explain", "1"], ["sources", "list"], ["audit"], ["sides"]],
    ids=" ".join,
)
def test_verb_fits_eighty_columns_and_is_coloured(demo: Path, words: list[str]) -> None:
    shown = on_a_terminal(demo, *words)
    for line in ESCAPE.sub("", shown).split("\n"):
        assert wide(line) <= 80 or " " not in line.strip(), line
    plainly = on_a_terminal(demo, *words, NO_COLOR="1")
    assert "\x1b" not in plainly


def test_states_are_coloured_and_sentences_are_not() -> None:
    assert (
        painted("  sources      1 failing, 18 good", 80)
        == "  sources      1 \x1b[31mfailing\x1b[0m, 18 \x1b[32mgood\x1b[0m"
    )
    assert painted("moved for good", 80) == "moved for good"
    assert painted("in trouble:", 80) == "\x1b[1min trouble:\x1b[0m"


def test_nothing_that_is_piped_has_an_escape(demo: Path) -> None:
    command = [sys.executable, "-m", "crawler", "--config", str(demo / "feeds.yaml"), "status"]
    assert b"\x1b" not in subprocess.run(command, capture_output=True, check=False).stdout


def test_columns_of_three_scripts_and_wide_letters() -> None:
    assert [wide(s) for s in ("Россия", "روس", "گندُم", "新聞", "e\u0301", "a\u200db")] == [6, 3, 4, 4, 1, 2]
    first, second = table([("新聞", "x"), ("ab", "y")], head=("name", "v")).split("\n")[1:]
    assert wide(first[: first.index("x")]) == wide(second[: second.index("y")])


def test_lines_are_folded_at_blanks_with_an_indent() -> None:
    assert folded("  one two three", 9) == ["  one two", "    three"]
    assert folded("x" * 100, 80) == ["x" * 100]
    assert folded("short", 80) == ["short"]


def test_what_is_plain_stays_plain_when_painted() -> None:
    assert "\x1b]0;" not in painted(plain("\x1b]0;owned\x07 good"), 80)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completes_verbs(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_PAKRUS_COMPLETE" in done.stdout
    environment = {
        **os.environ,
        "_PAKRUS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "pakrus dig",
        "COMP_CWORD": "dig" if shell == "fish" else "1",
    }
    asked = subprocess.run(
        [sys.executable, "-m", "crawler"], capture_output=True, text=True, env=environment, check=False
    )
    assert "digest" in asked.stdout
