"""Bytes of a page to text: what the declarations say, checked against what the bytes are.

Valid UTF-8 is UTF-8, whatever was declared: no text of ours in another encoding passes for it by chance. Otherwise the
declared encoding is believed unless another one reads clearly better, which is how a windows-1251 page that says
iso-8859-1, or says nothing, is told.
"""

import codecs
import re
from collections.abc import Iterable

SNIFF_BYTES = 65_536  # of runs of non-ASCII bytes; more does not change the verdict
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,30})""", re.I)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9_:.\-]{2,30})""", re.I)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,30})""", re.I)
_HIGH = re.compile(rb"[\x80-\xff][\x80-\xff .,\-]{2,}")
_MARKUP = re.compile(rb"<[^<>]{0,2000}>")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The letters that make up most of a Russian, an Arabic-script text; lower case only, so that an encoding that swaps
# the cases (koi8-r read as windows-1251) does not pass.
_COMMON = frozenset("оеаинтсрвлкмдпуяызьбгчйхжшюцщэфъё" + "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأإةىپچژکگیےںہھٹڈڑ،۔؟")
_SNIFFED = (  # the commoner first, for equals
    "windows-1251",
    "koi8-r",
    "windows-1256",
    "cp866",
    "iso-8859-5",
    "iso-8859-6",
    "koi8-u",
    "mac-cyrillic",
)
# Names that browsers map to the Windows encoding (WHATWG Encoding Standard).
_ALIASES = {
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "latin1": "windows-1252",
    "ascii": "windows-1252",
    "us-ascii": "windows-1252",
    "cp-1251": "windows-1251",
    "win-1251": "windows-1251",
    "win1251": "windows-1251",
    "win-1256": "windows-1256",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-sjis": "shift_jis",
    "gb2312": "gb18030",
    "utf8mb4": "utf-8",
    "x-user-defined": "windows-1252",
}
_MIN_GAIN = 0.25  # share of common letters by which a sniffed encoding must beat the declared one


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """The text and the name of the encoding it was read with. Never fails; what cannot be read becomes U+FFFD."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body.decode(name, "replace"), name.removesuffix("-sig")
    wide = _utf16_without_bom(body)
    if wide:
        return body.decode(wide, "replace"), wide
    try:
        decoder = codecs.getincrementaldecoder("utf-8")()  # an unfinished last letter is a cut, not another encoding
        text = decoder.decode(body)
        return text + "\ufffd" * bool(decoder.getstate()[0]), "utf-8"
    except UnicodeDecodeError:
        pass
    declared = [name for name in _declared(body, content_type) if _known(name)]
    text = body.decode("utf-8", "replace")
    if text.count("\ufffd") <= 0.02 * sum(1 for c in text if c > "\x7f"):
        return text, "utf-8"  # a cut or spoiled character, not another encoding
    sample = _sample(body)
    single = [name for name in declared if name != "utf-8"]
    scores = {name: _plausible(sample, name) for name in (*single, *_SNIFFED) if _known(name)}
    best = max(scores, key=lambda name: scores[name])
    chosen = single[0] if single else "windows-1252"
    if scores[best] > 0.5 and scores[best] >= scores.get(chosen, 0.0) + _MIN_GAIN:
        chosen = best
    return body.decode(chosen, "replace"), chosen


def _declared(body: bytes, content_type: str) -> Iterable[str]:
    names = [m.group(1) for m in [_HEADER.search(content_type)] if m]
    names += [m.group(1).decode("ascii") for m in (_XML.search(body[:200]), _META.search(body[:8192])) if m]
    for name in names:
        lower = name.lower().strip(".:")
        yield _ALIASES.get(lower, lower)


def _known(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def _utf16_without_bom(body: bytes) -> str:
    head = body[:2000]
    if len(head) < 8 or b"\0" not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.2 * len(head[1::2]) and even < 0.1 * odd:
        return "utf-16-le"
    if even > 0.2 * len(head[0::2]) and odd < 0.1 * even:
        return "utf-16-be"
    return ""


def _sample(body: bytes) -> bytes:
    """Runs of three and more non-ASCII bytes: words of other scripts, not the accents of Latin ones."""
    plain = _MARKUP.sub(b" ", body[: 16 * SNIFF_BYTES])
    return b" ".join(_HIGH.findall(plain))[:SNIFF_BYTES]


def _plausible(sample: bytes, name: str) -> float:
    """The share of common letters among what the non-ASCII bytes become, 0 to 1."""
    text = sample.decode(name, "replace")
    high = [c for c in text if c > "\x7f"]
    if len(high) < 6:
        return 0.0
    return sum(c in _COMMON for c in high) / len(high)
