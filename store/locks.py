"""Who has the database open: asked of the kernel, without opening it, so that nothing is changed by asking.

The bytes are those of SQLite's locking protocol (https://www.sqlite.org/walformat.html, 2.3, and os_unix.c).
"""

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, process
_OPEN = (0x40000002, 510)  # every connection in WAL mode holds one of these bytes of the database
_WRITING = (120, 1)  # a writer holds this byte of the -shm while its transaction lasts


def user_of(path: Path) -> str | None:
    """Another process that has the database open."""
    return _holder(path, *_OPEN)


def writer_of(path: Path) -> str | None:
    """Another process that is in the middle of a writing transaction."""
    return _holder(path.with_name(path.name + "-shm"), *_WRITING)


def _holder(path: Path, start: int, length: int) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None  # nothing there to be held
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, question))
    except OSError:
        return None  # a file system that knows no locks
    finally:
        os.close(handle)
    if kind == fcntl.F_UNLCK:
        return None
    try:
        name = Path(f"/proc/{process}/comm").read_text("utf-8", errors="replace").strip()
    except OSError:
        name = ""
    return f"process {process} ({name})" if name else f"process {process}"
