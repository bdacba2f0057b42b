"""`pakrus migrate`: what would run, or what ran."""

from pathlib import Path
from typing import Any

from store.connection import SCHEMA, copy_before, open_store, schema_of


def migrate(path: Path, *, dry_run: bool) -> dict[str, Any]:
    """Brings the database up to our schema; with `dry_run` only says from where to where it would go."""
    before = schema_of(path)
    if not dry_run:
        with open_store(path, mode="write", holder="migrate"):
            pass
    copy = str(copy_before(path)) if 0 < before < SCHEMA else None  # open_store makes it
    return {"database": str(path), "from": before, "to": SCHEMA, "dry_run": dry_run, "copy": copy}


def lines(value: dict[str, Any]) -> str:
    if value["from"] == value["to"]:
        return f"{value['database']}: schema {value['to']}, nothing to do"
    verb = "would go" if value["dry_run"] else "went"
    copy = f"; a copy of it as it was: {value['copy']}" if value["copy"] else ""
    return f"{value['database']}: {verb} from schema {value['from']} to {value['to']}{copy}"
