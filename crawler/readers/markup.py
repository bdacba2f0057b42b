"""What the readers share: plain text from markup, bounded unpacking, XML made fit for a parser and safe for us.

Every step is linear in the length of its input, whatever that is: nothing here may be slower on a hostile text.
"""

import html
import re
import zlib

MAX_UNPACKED = 20_000_000  # bytes of a gz sitemap; fifty thousand pages, the most that one may list, take 10 MB
MAX_TAG = 8_000  # characters of one tag; feedparser's cost grows with the square of the attributes
MAX_ELEMENTS = 150_000  # of one feed: five seconds of feedparser; 20,000 honest items have fewer
MAX_DEPTH = 2_000  # of one feed: its loose parser's cost grows with the square
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_BREAK = re.compile(
    r"</?(?:p|br|div|li|ul|ol|h[1-6]|tr|td|blockquote|section|article|figure|figcaption|hr|dd|dt)\b[^<>]*>", re.I
)
_SPAN = re.compile(r"<!--|<(script|style|noscript|iframe|svg)\b", re.I)
_CDATA_MARK = re.compile(r"<!\[CDATA\[|\]\]>")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u2060\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)
_XML_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{MAX_TAG},}}>?")
_TAG_NAME = re.compile(r"<([A-Za-z][\w:.-]{0,60})")
_AMPERSAND = re.compile(r"&(?:(#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)?")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def plain(text: str, *, limit: int = 200_000) -> str:
    """Markup as plain text: tags out, entities decoded (twice, as feeds escape twice), paragraphs as lines."""
    if text.isprintable() and "<" not in text and "&" not in text and "  " not in text:
        return text.strip()[:limit]  # most titles; not printable are line breaks and all that is invisible
    text = text[: 4 * limit]
    for _ in range(2):
        text = _untagged(text)
        if "&" not in text:
            break
        text = html.unescape(text)
    text = _INVISIBLE.sub("", _untagged(text))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)[:limit]


def line(text: str, *, limit: int = 2_000) -> str:
    """The same on one line: titles, authors."""
    return " ".join(plain(text, limit=limit).split())


def unzip(body: bytes) -> tuple[bytes, list[str]]:
    """The bytes behind a gzip header, at most MAX_UNPACKED, and what was wrong; a cut tail keeps what came before."""
    if body[:2] != b"\x1f\x8b":
        return body, []
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_UNPACKED)
    except zlib.error as error:
        return b"", [f"gzip: {error}"]
    if unpacker.unconsumed_tail:
        return unpacked, [f"too_large: more than {MAX_UNPACKED} bytes unpacked, the rest was left"]
    return unpacked, [] if unpacker.eof else ["cut: the compressed document ends early"]


def without_prolog(text: str) -> tuple[str, list[str]]:
    """XML from its root element on: no declaration, comments or document type stand before it; and what was wrong.

    A document type is where bombs and references to files and other hosts are declared. Without it they mean nothing.
    """
    problems: list[str] = []
    at = 0
    while True:
        start = text.find("<", at)
        if start < 0:
            return "", problems
        if text[at:start].strip("\ufeff\x00 \t\r\n") and not problems:
            problems.append("leading_text: something stands before the document")
        if text.startswith("<?", start):
            at = behind(text, "?>", start + 2)
        elif text.startswith("<!--", start):
            at = behind(text, "-->", start + 4)
        elif text[start : start + 9].upper() == "<!DOCTYPE":
            at, found = _doctype(text, start)
            problems += found
        elif text.startswith("<!", start):
            at = behind(text, ">", start)
        elif _TAG_NAME.match(text, start):
            return text[start:], problems
        else:
            at = start + 1


def _doctype(text: str, start: int) -> tuple[int, list[str]]:
    """Where the document type that begins at `start` ends, and whether it declared entities."""
    close = text.find(">", start)
    subset = text.find("[", start)
    if subset < 0 or close < subset:
        return (close + 1 if close >= 0 else len(text)), []
    match = re.compile(r"\]\s*>").search(text, subset)
    end = match.end() if match else len(text)
    declared = text[subset:end].upper()
    if "<!ENTITY" not in declared:
        return end, []
    outside = " SYSTEM" in declared or " PUBLIC" in declared
    kind = "points outside" if outside else "could expand without bound"
    return end, [f"entities: the document declares its own entities, which {kind}; they are refused"]


def fit(xml: str) -> tuple[str, list[str]]:
    """XML that a strict parser takes: no characters and references that XML forbids, HTML's names as numbers, bare
    ampersands escaped, no monstrous tag; and what was wrong. CDATA sections stay as they are."""
    problems = []
    cleaned = _XML_UNFIT.sub("", xml)
    if len(cleaned) != len(xml):
        problems.append(f"control_characters: {len(xml) - len(cleaned)} taken out")
    cleaned, found = short_tags(cleaned)
    problems += found
    if "&" not in cleaned:
        return cleaned, problems
    repaired = 0

    def reference(match: re.Match[str]) -> str:
        nonlocal repaired
        name = match[1]
        if name in _XML_NAMES:
            return match[0]
        if name is None:
            repaired += 1
            return "&amp;"
        value = html.unescape(match[0])
        if name[0] == "#":
            if not value or value == "\ufffd" or _XML_UNFIT.search(value):
                repaired += 1
                return ""
            return f"&#{ord(value)};" if len(value) == 1 else ""
        repaired += 1
        return f"&amp;{name};" if value == match[0] else "".join(f"&#{ord(c)};" for c in value)

    parts = []
    at = 0
    while at < len(cleaned):
        start = cleaned.find("<![CDATA[", at)
        end = behind(cleaned, "]]>", start) if start >= 0 else len(cleaned)
        parts.append(_AMPERSAND.sub(reference, cleaned[at : start if start >= 0 else len(cleaned)]))
        if start >= 0:
            parts.append(cleaned[start:end])
        at = end
    if repaired:
        problems.append(f"references: {repaired} ampersands or names that XML does not know")
    return "".join(parts), problems


def short_tags(text: str) -> tuple[str, list[str]]:
    """Without the attributes of monstrous tags: the cost of feedparser and of libxml2 grows with their square."""
    if _LONG_TAG.search(text) is None:
        return text, []
    return _LONG_TAG.sub(_short_tag, text), ["attributes: a tag with too many or too long attributes was cut"]


def _short_tag(match: re.Match[str]) -> str:
    name = _TAG_NAME.match(match[0])
    return f"<{name[1] if name else 'x'}{'/' if match[0].endswith('/>') else ''}>"


def _untagged(text: str) -> str:
    if "<" not in text:
        return text
    text = _CDATA_MARK.sub("", _without_spans(text))
    return _TAG.sub(" ", _BREAK.sub("\n", text))


def _without_spans(text: str) -> str:
    """Without comments and scripts, contents and all. An unclosed comment or script goes to the end of the text."""
    if "<!--" not in text and _SPAN.search(text) is None:
        return text
    lower = text.lower() if len(text.lower()) == len(text) else text
    parts = []
    at = 0
    open_ended: set[str] = set()  # names that close nowhere in the rest; looked for once
    while match := _SPAN.search(text, at):
        parts.append(text[at : match.start()])
        name = (match[1] or "").lower()
        end = -1 if name in open_ended else lower.find(f"</{name}" if name else "-->", match.end())
        if end < 0 and name in ("", "script", "style"):
            return "".join(parts)
        if end < 0:
            open_ended.add(name)
            end = match.end()
        at = behind(text, ">", end)
    parts.append(text[at:])
    return "".join(parts)


def behind(text: str, mark: str, start: int) -> int:
    """Where the next `mark` ends; the end of the text where there is none."""
    found = text.find(mark, start)
    return found + len(mark) if found >= 0 else len(text)
