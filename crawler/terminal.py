"""Text from outside on a terminal: no control character, no bidi override reaches it."""

import re
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    return _CONTROL.sub("\ufffd", text.replace("\r", " ").replace("\n", " "))


def table(rows: Sequence[tuple[str, ...]], *, head: tuple[str, ...]) -> str:
    """Columns padded to their widest cell; the last one as long as it is."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
