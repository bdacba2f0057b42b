"""Extraction measured on real pages whose truth others wrote down, beside trafilatura's precision mode.

    python benchmarks/extract_corpora.py CORPORA [--set NAME]... [--half tune|report|all] [--worst N] [--json FILE]

CORPORA holds the folders html_fundus, html_misinformation_crawler and html_trafilatura_eval; no page is part of this
project. Rules are tuned on half of the publishers (a hash of the publisher's name decides) and reported on the other.

Bodies: F1 of the means of precision and recall over word 4-grams, each page normalised to weight one
(article-extraction-benchmark's `string_shingle_matching`). html_trafilatura_eval only says which snippets must and
must not be there: F1 of these decisions. The interval is a paired bootstrap over pages. Dates are compared as
instants where the truth has a time, as days where it has none; titles by their words in order, authors as sets of
words. Newsrooms write several titles for one article (for readers, for search engines, for sharing), and which one a
truth holds is its author's choice for each publisher. So two shares stand beside `title`: `title_undisputed` is that of
the pages whose JSON-LD and og:title agree, `title_seen` that of the pages whose truth is a heading (h1 to h3, or a part
of one) outside a breadcrumb.
"""

import argparse
import gzip
import html
import json
import logging
import random
import re
import statistics
import sys
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lxml.etree
import lxml.html
import trafilatura

from crawler.extract import extract
from crawler.types import Document

SETS = ("html_fundus", "html_misinformation_crawler", "html_trafilatura_eval")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Page:
    name: str
    publisher: str
    url: str
    body: bytes
    text: str = ""
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    crawled: datetime | None = None

    @property
    def half(self) -> str:
        return "tune" if zlib.crc32(self.publisher.encode()) % 2 else "report"


@dataclass
class Tally:
    """One extractor on one set."""

    pages: list[tuple[float, float, float]] = field(default_factory=list)  # true, false positive, false negative
    seconds: float = 0.0

    def f1(self, chosen: list[int] | None = None) -> float:
        rows = self.pages if chosen is None else [self.pages[i] for i in chosen]
        precision = [tp / (tp + fp) for tp, fp, _ in rows if tp + fp]
        recall = [tp / (tp + fn) for tp, _, fn in rows if tp + fn]
        if not precision or not recall:
            return 0.0
        p, r = statistics.fmean(precision), statistics.fmean(recall)
        return 2 * p * r / (p + r) if p + r else 0.0


class SnippetTally(Tally):
    def f1(self, chosen: list[int] | None = None) -> float:
        rows = self.pages if chosen is None else [self.pages[i] for i in chosen]
        tp, fp, fn = (sum(row[i] for row in rows) for i in range(3))
        return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def fundus(folder: Path) -> Iterator[Page]:
    for truth in sorted(folder.glob("*/*.json")):
        versions = [v for _, v in sorted(json.loads(truth.read_text()).items())]
        pages = sorted(truth.parent.glob(truth.stem + "_20*.html.gz"))
        meta = json.loads((truth.parent / "meta.info").read_text())
        for version, page in zip(versions, pages, strict=True):
            body = version["body"]
            parts = list(body.get("summary", []))
            for section in body.get("sections", []):
                parts += section.get("headline", []) + section.get("paragraphs", [])
            yield Page(
                name=page.name,
                publisher=truth.stem,
                url=meta[page.name]["url"],
                body=gzip.decompress(page.read_bytes()),
                text="\n".join(parts),
                title=version["title"],
                authors=tuple(version.get("authors") or ()),
                published=version["publishing_date"],
                crawled=datetime.fromisoformat(meta[page.name]["crawl_date"]).replace(tzinfo=UTC),
            )


def misinformation(folder: Path) -> Iterator[Page]:
    for truth in sorted(folder.glob("*/*_extracted_data.json")):
        data = json.loads(truth.read_text())
        page = truth.with_name(truth.name.replace("_extracted_data.json", "_article.html.gz"))
        yield Page(
            name=f"{truth.parent.name}/{page.name}",
            publisher=truth.parent.name,
            url=data.get("article_url") or f"https://{truth.parent.name}/",
            body=gzip.decompress(page.read_bytes()),
            text=html.unescape(re.sub(r"<[^>]+>", "\n", data["plain_content"])),
            title=data["title"],
            authors=tuple(a.strip() for a in (data.get("byline") or "").split(",") if a.strip()),
            published=data.get("publication_datetime") or "",
        )


def snippets(folder: Path) -> Iterator[Page]:
    for url, data in json.loads((folder / "evaldata.json").read_text()).items():
        page = folder / (data["file"] + ".gz")
        if not page.exists():
            continue
        yield Page(
            name=data["file"],
            publisher=re.sub(r"^https?://(?:www\.)?", "", url).split("/")[0],
            url=url,
            body=gzip.decompress(page.read_bytes()),
            wanted=tuple(data["with"]),
            unwanted=tuple(data["without"]),
            title=data.get("title") or "",
            authors=names(data.get("author")),
            published=day(data.get("date") or ""),
        )


def day(text: str) -> str:
    """`text` if it is a day; the corpus holds a 31st of February."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return ""


def names(value: str | list[str] | None) -> tuple[str, ...]:
    text = ";".join(value) if isinstance(value, list) else value or ""
    return tuple(name.strip() for name in re.split(r"[;,]", text) if name.strip())


READERS = {"html_fundus": fundus, "html_misinformation_crawler": misinformation, "html_trafilatura_eval": snippets}


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text.replace("\u00ad", ""))
    if len(words) < 4:
        return Counter([tuple(words)] if words else [])
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))


def compare(page: Page, text: str) -> tuple[float, float, float]:
    if page.wanted or page.unwanted:
        text = text.replace("\u00ad", "")
        kept = sum(s.replace("\u00ad", "") in text for s in page.unwanted)
        found = sum(s.replace("\u00ad", "") in text for s in page.wanted)
        return float(found), float(kept), float(len(page.wanted) - found)
    truth, found_shingles = shingles(page.text), shingles(text)
    tp = sum((truth & found_shingles).values())
    fp, fn = sum((found_shingles - truth).values()), sum((truth - found_shingles).values())
    total = tp + fp + fn or 1
    return tp / total, fp / total, fn / total


def plain_words(text: str) -> list[str]:
    """The words, case and the marks that no reader sees (soft hyphens, two forms of one letter) aside."""
    return _WORD.findall(unicodedata.normalize("NFC", text.replace("\u00ad", "")).casefold())


def same_words(truth: str, found: str) -> bool:
    return plain_words(truth) == plain_words(found)


_HEADLINE = re.compile(rb'"headline"\s*:\s*("(?:[^"\\]|\\.)*")')
_SHARED = re.compile(rb"""<meta[^>]*property\s*=\s*["']?og:title["']?[^>]*>""", re.I)
_CONTENT = re.compile(r"""content\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)


def undisputed(page: Page) -> bool:
    """Whether the page's own JSON-LD and og:title give one title, a site's name behind it aside."""
    headline, shared = _HEADLINE.search(page.body), _SHARED.search(page.body)
    content = _CONTENT.search(shared[0].decode("utf-8", "replace")) if shared else None
    if headline is None or content is None:
        return False
    try:
        one = _WORD.findall(html.unescape(json.loads(headline[1], strict=False)).casefold())
    except ValueError:
        return False
    other = _WORD.findall(html.unescape(content[1] or content[2] or "").casefold())
    short = min(len(one), len(other))
    return short > 0 and one[:short] == other[:short]


_HEADING = "//h1|//h2|//h3"
_TRAIL = "ancestor::nav|parent::li|ancestor-or-self::*[contains(@class, 'breadcrumb')]"


def seen(page: Page) -> bool:
    """Whether readers see the truth's title as a heading of the page, or as a part of one."""
    try:
        tree = lxml.html.document_fromstring(page.body, parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.LxmlError, ValueError):
        return False
    wanted = plain_words(page.title)
    return any(
        plain_words(part.text_content()) == wanted
        for heading in tree.xpath(_HEADING)
        if not heading.xpath(_TRAIL)
        for part in heading.iter(lxml.etree.Element)
    )


def same_people(truth: tuple[str, ...], found: str) -> bool:
    """The names as a set of words, a leading "by" aside."""
    words = set(_WORD.findall(" ".join(truth).casefold())) - {"by", "and"}
    return words == set(_WORD.findall(found.casefold())) - {"by", "and"}


def same_time(page: Page, document: Document) -> bool:
    found = document.published.instant if document.published else None
    if found is None:
        return False
    truth = datetime.fromisoformat(page.published)
    if truth.tzinfo is None:  # a local time of an unknown zone, or a day
        return abs((found.replace(tzinfo=None) - truth).total_seconds()) <= 86_400 - 1
    return abs((found - truth).total_seconds()) < 60


def reference(page: Page) -> str:
    document = trafilatura.bare_extraction(
        page.body, url=page.url, favor_precision=True, include_comments=False, with_metadata=True
    )
    return (document.text or "") if document else ""  # type: ignore[union-attr]


def measure(pages: list[Page], *, worst: int, reference_too: bool) -> dict[str, Any]:
    kind = SnippetTally if pages[0].wanted or pages[0].unwanted else Tally
    ours, theirs = kind(), kind()
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    rows = []
    for page in pages:
        began = time.process_time()
        document = extract(page.body, url=page.url, now=page.crawled)
        ours.seconds += time.process_time() - began
        ours.pages.append(compare(page, document.text))
        if reference_too:
            began = time.process_time()
            text = reference(page)
            theirs.seconds += time.process_time() - began
            theirs.pages.append(compare(page, text))
        outcomes[document.outcome] += 1
        checks: Mapping[str, bool | None] = {
            "title": (titled := same_words(page.title, document.title)) if page.title else None,
            "title_undisputed": titled if page.title and undisputed(page) else None,
            "title_seen": titled if page.title and seen(page) else None,
            "author": same_people(page.authors, document.author) if page.authors else None,
            "published": same_time(page, document) if page.published else None,
        }
        for name, verdict in checks.items():
            if verdict is not None:
                asked[name] += 1
                right[name] += verdict
        tp, fp, fn = ours.pages[-1]
        f1 = 2 * tp / (2 * tp + fp + fn) if tp else 0.0
        rows.append((f1, page, document, checks))
    report: dict[str, Any] = {"pages": len(pages), "body_f1": round(ours.f1(), 4)}
    if reference_too:
        dice = random.Random(0)
        gains = []
        for _ in range(1000):
            chosen = dice.choices(range(len(pages)), k=len(pages))
            gains.append(ours.f1(chosen) - theirs.f1(chosen))
        gains.sort()
        report["trafilatura_f1"] = round(theirs.f1(), 4)
        report["gain"] = round(ours.f1() - theirs.f1(), 4)
        report["gain_95"] = [round(gains[25], 4), round(gains[974], 4)]
        report["gain_above_0"] = round(sum(gain > 0 for gain in gains) / len(gains), 3)
        report["cost"] = round(ours.seconds / theirs.seconds, 2)
    for name in asked:
        report[name] = round(right[name] / asked[name], 4)
        if name.startswith("title_"):
            report[f"{name}_pages"] = asked[name]
    report["outcomes"] = dict(outcomes)
    for f1, page, document, _ in sorted(rows, key=lambda row: row[0])[:worst]:
        print(f"{f1:.3f} {page.name} {document.outcome} {len(document.text)}/{len(page.text)}", file=sys.stderr)
    if worst:
        for _, page, document, checks in rows:
            wrong = [name for name, verdict in checks.items() if verdict is False]
            told = {
                "title": (page.title, document.title),
                "author": (page.authors, document.author),
                "published": (page.published, document.published),
            }
            for name in told.keys() & set(wrong):
                print(f"{name}: {page.name}: {told[name]}", file=sys.stderr)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--half", choices=("tune", "report", "all"), default="all")
    parser.add_argument("--worst", type=int, default=0, help="name the N worst pages and every wrong field")
    parser.add_argument("--alone", action="store_true", help="without the reference (no cost, no interval)")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    reports = {}
    for name in arguments.sets or SETS:
        pages = [page for page in READERS[name](arguments.corpora / name) if arguments.half in ("all", page.half)]
        reports[name] = measure(pages, worst=arguments.worst, reference_too=not arguments.alone)
    print(json.dumps(reports, indent=1))


if __name__ == "__main__":
    main()
