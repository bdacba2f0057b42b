"""What an edit of an article is: a revision, or a trifle that no reader would call a change."""

import re
from collections import Counter
from difflib import SequenceMatcher

from crawler.text import fold, words

MOST_WORDS = 5_000  # of each version in a diff; what lies behind is named, not compared
_PARAGRAPH = re.compile(r"\s*\n\s*")
# Lines that pages carry beside the article: counters, share and comment prompts, links to other articles,
# ages.
_URDU_FURNITURE = (
    "مزید پڑھیں", "مزید پڑھیے", "یہ بھی پڑھیں", "یہ بھی پڑھیے", "متعلقہ خبریں", "اشتہار", "شیئر کریں", "ہمیں فالو کریں",
    "سبسکرائب", "تبصرہ کریں",
)  # fmt: skip
_URDU_COUNTED = ("ویوز", "تبصرے", "تبصرہ", "شیئرز", "منٹ پہلے", "منٹ قبل", "گھنٹے پہلے", "گھنٹے قبل", "دن پہلے")
_FURNITURE = re.compile(
    r"^\W*(?:"
    r"(?:\d[\d., ]*\s*)?(?:views?|shares?|comments?|likes?|reads?|min(?:ute)?s? read"
    r"|(?:minute|hour|day)s? ago)\b"
    r"|(?:views|shares|comments|likes|updated?|last updated|modified|published in dawn)\b.{0,60}\d"
    r"|(?:read (?:more|also|next)|also read|see also|related|more on this|don't miss|follow us|subscribe"
    r"|share this|join (?:our|us)|leave a (?:reply|comment)|advertisement|click here|watch (?:also|live))\b"
    r"|(?:читайте (?:также|еще)|смотрите также|по теме|подробнее|материалы по теме|ранее по теме|подписывайтесь"
    r"|подпишитесь|поделиться|реклама|просмотр\w*|комментари\w*|обновлено|количество просмотров)\b"
    r"|\d[\d., ]*\s*(?:просмотр\w*|комментари\w*|минут\w* назад|час\w* назад)\b"
    rf"|(?:{'|'.join(fold(phrase).text for phrase in _URDU_FURNITURE)})\b"
    rf"|\d[\d., ]*\s*(?:{'|'.join(fold(phrase).text for phrase in _URDU_COUNTED)})\b"
    r")"
)
_LONGEST_FURNITURE = 16  # words; what is longer is a sentence of the article


def _lines(text: str) -> list[tuple[str, ...]]:
    """The paragraphs of a text as folded words, without furniture and without empty ones."""
    found = ((line, tuple(words(line))) for line in _PARAGRAPH.split(fold(text).text))
    return [w for line, w in found if w and not (len(w) <= _LONGEST_FURNITURE and _FURNITURE.match(line))]


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
