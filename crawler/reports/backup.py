"""`pakrus backup` and `pakrus restore`: what is asked of them, and what they answer."""

from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.errors import UsageError
from store import backup as copies
from store.connection import SCHEMA, schema_of
from store.errors import StoreError


def backup(path: Path, target: Path) -> dict[str, Any]:
    """Copies the database to `target`; an earlier copy there is replaced, anything else is not."""
    if target.resolve() == path.resolve():
        raise UsageError(f"{target}: is the database itself, name another file")
    if target.exists() and target.stat().st_size:
        try:
            schema_of(target)
        except StoreError:
            raise UsageError(f"{target}: is there and no copy of ours, name another file") from None
    made = copies.backup(path, target)
    return {
        "database": str(path),
        "path": str(made.path),
        "bytes": made.bytes,
        "schema": made.schema,
        "sha256": made.sha256,
    }


def restore(path: Path, copy: Path, *, now: datetime) -> dict[str, Any]:
    """Puts `copy` in the place of the database."""
    if not copy.exists():
        raise UsageError(f"{copy}: there is no such file")
    if copy.resolve() == path.resolve():
        raise UsageError(f"{copy}: is the database itself, name a copy of it")
    done = copies.restore(path, copy, now=now)
    return {
        "database": str(path),
        "from": str(copy),
        "bytes": done.bytes,
        "schema": done.schema,
        "upgrade": done.schema < SCHEMA,
        "kept": str(done.kept) if done.kept else None,
    }


def backup_lines(value: dict[str, Any]) -> str:
    return "\n".join(
        (
            f"{value['path']}: {value['bytes'] / 1e6:.1f} MB, schema {value['schema']}, checked",
            f"sha256 {value['sha256']}",
        )
    )


def restore_lines(value: dict[str, Any]) -> str:
    out = [f"{value['database']}: restored from {value['from']}, {value['bytes'] / 1e6:.1f} MB"]
    if value["kept"]:
        out.append(f"what was there before is {value['kept']}; delete it when all is well")
    if value["upgrade"]:
        out.append(f"it has schema {value['schema']} of {SCHEMA}: `pakrus migrate`")
    return "\n".join(out)
