"""Files that stand whole or not at all: written to a neighbour, flushed to disk, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import IO

from store.errors import StoreUnwritable


@contextmanager
def whole_file(path: Path, *, like: Path | None = None) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its name when the block ends well; with the mode and, where we may, the owner of
    the file `like`. Raises StoreUnwritable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if like is not None:
                    old = like.stat()
                    with suppress(PermissionError):
                        os.chown(file.name, old.st_uid, old.st_gid)
                Path(file.name).chmod(0o644 if like is None else S_IMODE(old.st_mode))
                os.replace(file.name, path)  # noqa: PTH105 - Path.replace is the same call, less plainly
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StoreUnwritable(f"{path}: cannot be written: {error.strerror or error}") from None


def write_file(path: Path, text: str) -> Path:
    """Writes a text file, in UTF-8; returns its path."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return path
