"""What was freed goes back to the system: glibc keeps it for what may come, and so a process its largest moment."""

import ctypes


def give_back() -> None:
    """Some milliseconds; does nothing where the C library has no malloc_trim(3)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
