"""How many of the names in the sentences that carry the evidence does the lexicon know?

    python benchmarks/lexicon_coverage.py GOLD.jsonl... [--folds 0,1,2] [--list]

Read are the sentences of relevant records that name both sides (and the title). How names are found there has nothing
to do with the lexicon: in English and Russian runs of capitalised words (particles inside; a sentence's first word
counts where a capitalised word follows, or it is written with capitals elsewhere in the text); in Urdu, which has no
capitals, words in Latin letters and the one or two words after an office (president, premier, minister, ambassador,
general), up to a postposition. Offices and plain words before a name are no part of it. A name is known where things
of the lexicon, of whatever country, cover half of its letters or more; in Urdu, where they touch it, as the office
tells only where it begins.
--list prints unknown names: only for folds that may be read.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crawler.classify import passages
from crawler.lexicon import Lexicon, load
from crawler.text import fold
from crawler.types import Text

_RUN = re.compile(
    r"[A-ZА-ЯЁ][\w'’.-]*(?:\s+(?:(?:of|the|and|al|bin|de|-и|и)\s+)?[A-ZА-ЯЁ][\w'’.-]*)*",
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9-]+(?:\s+[A-Za-z][A-Za-z0-9-]+)*")
_OFFICE = re.compile(
    r"(?:صدر|وزیراعظم|وزیر اعظم|وزیر خارجہ|وزیر خزانہ|وزیر توانائی|وزیر|سفیر|جنرل|ایڈمرل|ترجمان|سربراہ|"
    r"گورنر|شہر|بندرگاہ|کمپنی)"
    r"\s+((?:\S+\s+){1,2})"
)
_AFTER = frozenset("نے سے کا کی کے کو میں پر اور کہ تک بھی ہے ہیں کہا جو یہ وہ اس ان".split())
# Offices and plain words that are written with capitals: no names by themselves.
_PLAIN = frozenset(
    "the a an on in at of and prime minister ministry president foreign deputy first chairman ambassador envoy "
    "special secretary general vice consul professor dr mr information climbers army congress english english- "
    "language summit reports agencies another two eighty-three one all whether shipments agreements growers "
    "memorandum understanding mou letter intent sports industrial industries production cooperation university "
    "universities international national centre center joint institute editor-in-chief representative "
    "presidential covid covid-19 dna physics jan feb mar apr jun jul aug sep oct nov dec днем когда в "
    "делегация граждане гражданин университеты министерство совет сената федерация федерацией федерацию "
    "управлением кабинете доме торговать альпиниста премьер-министр президент".split()
)
_DAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)


def names(text: str, language: str, whole: str) -> Iterator[str]:
    """Names in one sentence, found by their form alone."""
    if language == "ur":
        yield from (m[0] for m in _LATIN.finditer(text))
        for match in _OFFICE.finditer(text + " "):
            words = []
            for word in match[1].split():
                bare = word.strip("،۔,.:؛()\"'")
                if bare in _AFTER:
                    break
                words.append(bare)
                if bare != word:
                    break
            if words and all(re.search(r"[\u0600-\u06ff]", w) for w in words):
                yield " ".join(words)
        return
    for match in _RUN.finditer(text):
        name = match[0].strip(".-'’")
        first = not text[: match.start()].strip(" \"'«“(")
        if first and " " not in name and not re.search(r"[a-zа-яё,] " + re.escape(name) + r"\b", whole):
            continue  # a sentence begins with a capital whatever it is
        words = name.split()
        while words and words[0].lower().removesuffix("'s") in _PLAIN | _DAYS:
            del words[0]
        if words and not all(w.lower() in _PLAIN | _DAYS or len(w) == 1 for w in words):
            yield " ".join(words)


def known(name: str, lexicon: Lexicon) -> bool:
    folded = fold(name)
    covered = sum(hit.end - hit.start for hit in lexicon.hits(folded))
    return 2 * covered >= len(folded.text)


def touched(name: str, piece: str, lexicon: Lexicon) -> bool:
    folded, whole = fold(name), fold(piece)
    at = whole.text.find(folded.text)
    return any(hit.start < at + len(folded.text) and hit.end > at for hit in lexicon.hits(whole))


def measure(records: list[dict[str, Any]], lexicon: Lexicon) -> dict[str, Any]:
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    unknown: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if not record["grade"]:
            continue
        language = record["language"]
        text = Text(title=record["title"] or "", text=record["text"], language=language, url=record["url"])
        found = passages.read(text, lexicon)
        for sentence in found.sentences:
            if not (sentence.pair or sentence.order == 0):
                continue
            start, end = found.folded[sentence.field].span(sentence.start, sentence.end)
            piece = found.source[sentence.field][start:end]
            for name in names(piece, language, record["text"]):
                right = touched(name, piece, lexicon) if language == "ur" else known(name, lexicon)
                counts[language][right] += 1
                if not right:
                    unknown[language][name] += 1
    return {
        language: {"names": c.total(), "known": round(c[True] / max(1, c.total()), 4), "unknown": unknown[language]}
        for language, c in sorted(counts.items())
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+")
    parser.add_argument("--folds", default="0,1,2")
    parser.add_argument("--list", action="store_true", help="print the unknown names")
    arguments = parser.parse_args()
    folds = {int(f) for f in arguments.folds.split(",")}
    records = [json.loads(line) for path in arguments.gold for line in Path(path).read_text("utf-8").splitlines()]
    for language, row in measure([r for r in records if r["fold"] in folds], load()).items():
        print(language, row["names"], "names, known", row["known"])
        if arguments.list:
            print("  ", "; ".join(f"{name} {n}" for name, n in row["unknown"].most_common()))


if __name__ == "__main__":
    main()
