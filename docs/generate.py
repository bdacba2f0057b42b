"""Writes the pages that follow from the program: schema.md from the database, reference.md from the command line.

`./run docs` calls it; a test compares its pages with the files, so that they cannot go stale.
"""

import sqlite3
from pathlib import Path

import click

HERE = Path(__file__).parent


def schema() -> str:
    from store.descriptions import TABLES, VIEWS, columns
    from store.schema import migrate

    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    out = [
        "# The database",
        "",
        f"Schema {version}, written by `./run docs` from `store/schema.py`. SQLite in WAL mode: read it with what you like",
        "while the daemon writes. Times are UTC text, `YYYY-MM-DDTHH:MM:SSZ` (`requests.at` with milliseconds);",
        "`day` is the local date in the config's zone. `PRAGMA user_version` is the number of the schema.",
        "",
        "## Views for people",
    ]
    for name, words in VIEWS.items():
        out += ["", f"**{name}**: {words}", "", ", ".join(f"`{c}`" for c in columns(connection, name))]
    out += ["", "## Tables"]
    for name, words in TABLES.items():
        out += ["", f"### {name}", "", words, "", "| column | type | |", "|---|---|---|"]
        comments = columns(connection, name)
        for row in connection.execute(f"PRAGMA table_info({name})"):
            out.append(f"| {row[1]} | {row[2].lower() or 'text'} | {comments[row[1]]} |")
    made = {r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    shadow = {n for n in made if n.startswith(("article_search_", "sqlite_", "_sqlite_"))}
    left = made - shadow - TABLES.keys()
    assert not left, f"describe these tables in store/descriptions.py: {left}"
    connection.close()
    return "\n".join(out) + "\n"


def reference() -> str:
    from crawler.cli import cli

    out = [
        "# The command line",
        "",
        "Written by `./run docs` from the program. Options `--config`, `--db` and `--now` stand before or after the verb.",
        "Results go to stdout, logs to stderr.",
        "",
        "Exit codes: 0 done; 1 the check that the verb makes does not hold; 2 wrong usage or an invalid config (every",
        "mistake is named with its line, nothing was changed); 3 nothing could be reached; 4 the database cannot be used",
        "(the file was left as it was).",
    ]
    out += _commands(cli, "pakrus")
    return "\n".join(out) + "\n"


def _commands(group: click.Group, path: str) -> list[str]:
    out: list[str] = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            out += _commands(command, f"{path} {name}")
            continue
        # Beneath the program itself, as when it runs: its settings are inherited (-h).
        parent = click.Context(group, info_name=path, help_option_names=["-h", "--help"])
        context = click.Context(command, parent=parent, info_name=name, max_content_width=100, terminal_width=100)
        out += ["", f"## {path} {name}", "", "```text", command.get_help(context), "```"]
    return out


PAGES = {"schema.md": schema, "reference.md": reference}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), "utf-8")
