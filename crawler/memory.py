"""What was freed goes back to the system: glibc keeps it for what may come, and so a process its largest moment."""

import ctypes

_MMAP_THRESHOLD = -3  # <malloc.h>
_LARGE = 500_000  # bytes


def apart() -> None:
    """From now on large pieces (bodies, replies) lie apart and are gone when they are freed. Once for a process.

    Left to itself glibc puts even 30 MB among all else, once a piece of that size has been freed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Gives back what lies free among small pieces; a millisecond. Nothing is done where the C library is another."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
