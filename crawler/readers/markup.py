"""What the readers share: plain text from markup, control characters, guards against bombs."""

import gzip
import html
import io
import re
import zlib

MAX_UNPACKED = 50_000_000  # bytes of a gz sitemap
MAX_ATTRIBUTES = 400  # of one tag; feedparser's cost grows with their square
_TAG = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<!\[CDATA\[|\]\]>|<[/!?a-zA-Z][^<>]*>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"</?(?:p|br|div|li|ul|ol|h[1-6]|tr|td|blockquote|section|article|figure)\b[^<>]*>", re.IGNORECASE)
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_XML_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DOCTYPE = re.compile(r"<!DOCTYPE\s+[^<>\[]*(?:\[(?P<inner>.*?)\]\s*)?>", re.DOTALL | re.IGNORECASE)
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{8000,}>")


def plain(text: str, *, limit: int = 200_000) -> str:
    """Markup as plain text: tags out, entities decoded (twice, as feeds escape twice), paragraphs as lines."""
    text = text[: 4 * limit]
    for _ in range(2):
        if "<" in text:
            text = _TAG.sub(" ", _BREAK.sub("\n", text))
        if "&" not in text:
            break
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", _BREAK.sub("\n", text))
    text = _INVISIBLE.sub("", text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)[:limit]


def line(text: str, *, limit: int = 2_000) -> str:
    """The same on one line: titles, authors."""
    return " ".join(plain(text, limit=limit).split())


def unzip(body: bytes) -> bytes:
    """The bytes behind a gzip header, at most MAX_UNPACKED; a cut tail keeps what came before. As is without one."""
    if body[:2] != b"\x1f\x8b":
        return body
    out = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            while len(out) < MAX_UNPACKED and (part := file.read(1 << 16)):
                out += part
    except (OSError, EOFError, zlib.error):
        pass  # the caller sees a document that ends early, and says so
    return bytes(out)


def safe_xml(text: str) -> tuple[str, list[str]]:
    """XML without what expands, points outside or costs too much, and what was taken out."""
    problems = []
    match = _DOCTYPE.search(text[:100_000])
    if match:
        if match["inner"] and re.search(r"<!ENTITY", match["inner"], re.IGNORECASE):
            problems.append("entities: the document declares its own entities, they are not expanded")
        text = text[: match.start()] + text[match.end() :]
    elif re.search(r"<!ENTITY|<!DOCTYPE", text[:100_000], re.IGNORECASE):
        problems.append("doctype: a broken document type was taken out")
        text = re.sub(r"<!(?:ENTITY|DOCTYPE)[^>]*>?", "", text, flags=re.IGNORECASE)
    cleaned = _XML_UNFIT.sub("", text)
    if len(cleaned) != len(text):
        problems.append("control_characters: taken out")
    if _LONG_TAG.search(cleaned):
        cleaned = _LONG_TAG.sub(_short_tag, cleaned)
        problems.append("attributes: a tag with too many or too long attributes was cut")
    return cleaned, problems


def _short_tag(match: re.Match[str]) -> str:
    tag = match[0]
    if tag.count("=") <= MAX_ATTRIBUTES:
        return tag
    name = re.match(r"<([\w:.-]+)", tag)
    return f"<{name[1] if name else 'x'}{'/' if tag.endswith('/>') else ''}>"
