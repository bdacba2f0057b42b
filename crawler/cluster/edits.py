"""What an edit of an article is: a revision, or a trifle that no reader would call a change."""

import re
from collections import Counter
from difflib import SequenceMatcher

from crawler.text import fold, words

MOST_WORDS = 5_000  # of each version in a diff; what lies behind is named, not compared
_PARAGRAPH = re.compile(r"\s*\n\s*")
# Lines that pages carry beside the article: counters, share and comment prompts, links to other articles,
# ages.
_FURNITURE = re.compile(
    r"^\W*(?:"
    r"(?:\d[\d.,  ]*\s*)?(?:views?|shares?|comments?|likes?|reads?|min(?:ute)?s? read|(?:minute"
    r"|hour|day)s? ago)\b"
    r"|(?:views|shares|comments|likes|updated?|last updated|modified|published in dawn)\b.{0,60}\d"
    r"|(?:read (?:more|also|next)|also read|see also|related|more on this|don't miss|follow us"
    r"|subscribe|share this"
    r"|join (?:our|us)|leave a (?:reply|comment)|advertisement|click here|watch (?:also|live))\b"
    r"|(?:читайте (?:также|ещ?е)|смотрите также|по теме|подробнее|материалы по теме|ранее по теме"
    r"|подписывайтесь"
    r"|подпишитесь|поделиться|реклама|просмотр\w*|комментари\w*|обновлено|количество просмотров)\b"
    r"|\d[\d.,  ]*\s*(?:просмотр\w*|комментари\w*|минут\w* назад|час\w* назад)\b"
    r"|(?:مزید پڑھیں|مزید پڑھیے|یہ بھی پڑھیں|یہ بھی پڑھیے|متعلقہ خبریں|اشتہار|شیئر کریں"
    r"|ہمیں فالو کریں|سبسکرائب)"
    r"|\d[\d.,]*\s*(?:ویوز|تبصرے|تبصرہ|شیئرز|منٹ (?:پہلے|قبل)|گھنٹے (?:پہلے|قبل))"
    r"|(?:ویوز|تبصرے|اپ ڈیٹ)\s*:?\s*\d"
    r")"
)


def _lines(text: str) -> list[tuple[str, ...]]:
    """The paragraphs of a text as folded words, without furniture and without empty ones."""
    lines = (line for line in _PARAGRAPH.split(fold(text).text) if not _FURNITURE.match(line))
    return [found for line in lines if (found := tuple(words(line)))]


def is_trivial_edit(old_title: str, old_text: str, new_title: str, new_text: str) -> bool:
    """Whether nothing of the article itself changed between two versions.

    Trivial are white space, punctuation, spelling that `fold` makes equal, the order of paragraphs that
    stay, and lines that belong to the page: counters, ages ("2 hours ago"), prompts, links to related
    articles.
    """
    if words(old_title) != words(new_title):
        return False
    old, new = _lines(old_text), _lines(new_text)
    if [w for line in old for w in line] == [w for line in new for w in line]:
        return True
    return Counter(old) == Counter(new)


_TOKEN = re.compile(r"\n+|[^\s]+")


def text_diff(old: str, new: str) -> str:
    """A readable word diff: ``[-gone-]`` and ``{+come+}`` in their context, unchanged stretches cut to six
    words.

    Both texts are read to MOST_WORDS words. Empty where no word differs.
    """
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    cut = len(a) > MOST_WORDS or len(b) > MOST_WORDS
    a, b = a[:MOST_WORDS], b[:MOST_WORDS]
    pieces: list[str] = []
    changed = False
    operations = SequenceMatcher(None, a, b, autojunk=len(a) + len(b) > 2_000).get_opcodes()
    for number, (kind, a0, a1, b0, b1) in enumerate(operations):
        gone, come = _joined(a[a0:a1]), _joined(b[b0:b1])
        if kind == "equal":
            pieces.append(_context(a[a0:a1], first=number == 0, last=number == len(operations) - 1))
            continue
        if gone.split() == come.split():
            pieces.append(come)
            continue
        changed = True
        pieces.append(" ".join([f"[-{gone}-]"] * bool(gone) + [f"{{+{come}+}}"] * bool(come)))
    if not changed:
        return ""
    return re.sub(r" *\n *", "\n", " ".join(p for p in pieces if p)) + ("\n…" if cut else "")


def _joined(tokens: list[str]) -> str:
    return " ".join(t for t in tokens if not t.startswith("\n"))


def _context(tokens: list[str], *, first: bool, last: bool) -> str:
    """An unchanged stretch: its ends where a change stands beside them, and … for what is left out."""
    keep = 6
    tokens = [t if not t.startswith("\n") else "\n" for t in tokens]
    before = [] if first else tokens[:keep]
    after = [] if last else tokens[-keep:]
    if len(tokens) <= len(before) + len(after):
        return " ".join(tokens)
    return " ".join([*before, "…", *after])
