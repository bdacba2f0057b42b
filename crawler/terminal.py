"""Text from outside on a terminal: no control character, no bidi override reaches it."""

import re
import unicodedata
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    return _CONTROL.sub("\ufffd", text.replace("\r", " ").replace("\n", " "))


def table(rows: Sequence[tuple[str, ...]], *, head: tuple[str, ...]) -> str:
    """Columns padded to their widest cell; the last one as long as it is."""
    cells = [head, *rows]
    widths = [max(wide(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(c + " " * (w - wide(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    )


# --- on a terminal: coloured and folded at its width; elsewhere text is left as it is

_HUES = {
    "green": "good kept alive",
    "red": "failing blocked gone failed irrelevant",
    "yellow": "throttled stale pending duplicate disabled retired",
}
_HUE = {word: hue for hue, words in _HUES.items() for word in words.split()}
# As a state stands: behind a number or a colon, or alone in its column; not in a sentence.
_STATES = "|".join(_HUE)
_WORD = re.compile(rf"(?<=\d )(?:{_STATES})\b|(?<=: )(?:{_STATES})(?= since|,|$)|(?<=  )(?:{_STATES})(?=  |$)")
_ADDRESS = re.compile(r"https?://\S+")
_CODES = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33"}


def painted(text: str, width: int) -> str:
    """A report as a terminal shows it: folded at its width, headings bold, states in colour, addresses dim.

    The text must be `plain` already: the only escapes in the result are those put in here.
    """
    out = []
    for line in text.split("\n"):
        heading = not line.startswith(" ") and line.endswith(":")
        out += [_coloured(part, heading=heading) for part in folded(line, width)]
    return "\n".join(out)


def _coloured(line: str, *, heading: bool) -> str:
    if heading:
        return _code(line, "bold")
    pieces, last = [], 0
    for match in _ADDRESS.finditer(line):
        pieces += [_states(line[last : match.start()]), _code(match.group(), "dim")]
        last = match.end()
    return "".join([*pieces, _states(line[last:])])


def _states(text: str) -> str:
    return _WORD.sub(lambda m: _code(m.group(), _HUE[m.group()]), text)


def _code(text: str, name: str) -> str:
    return f"\x1b[{_CODES[name]}m{text}\x1b[0m"


def wide(text: str) -> int:
    """The columns that a text takes: combining marks none, East Asian wide characters two."""
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Cf")
        else 2 if unicodedata.east_asian_width(c) in ("W", "F")
        else 1
        for c in text
    )  # fmt: skip


def folded(line: str, width: int) -> list[str]:
    """A line in parts of at most `width` columns, broken at blanks, the others indented; a long word stays whole."""
    if wide(line) <= width:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()) + 4, width // 2)
    parts, part = [], line[: len(line) - len(line.lstrip())]
    for piece in re.findall(r"\S+\s*", line.lstrip()):
        if part.strip() and wide(part) + wide(piece.rstrip()) > width:
            parts.append(part.rstrip())
            part = indent
        part += piece
    return [*parts, part.rstrip()]
