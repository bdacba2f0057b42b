"""Text -> Classification: does it concern both sides of the topic, in which sectors, and by what evidence.

`worth_fetching` and `may_concern` are the two cheap questions that come before: is the page worth a request, and are
its bytes worth an extraction.
"""

from __future__ import annotations

from typing import Any

from crawler.classify import passages, relevance, sectors
from crawler.classify.prefilter import may_concern, names
from crawler.lexicon import Lexicon, mention
from crawler.text import fold
from crawler.types import Classification, Mention, Text

__all__ = ["classification_json", "classify", "may_concern", "worth_fetching"]


def classify(text: Text, lexicon: Lexicon) -> Classification:
    """The verdict on a text, deterministic and pure. Every quote of it equals the input at its offset."""
    found = passages.read(text, lexicon)
    grade, score, reasons = relevance.judge(found)
    mentions = _mentions(found)
    if grade and not _both_named(mentions, lexicon):
        grade = 0
    return Classification(
        grade=grade,
        score=score,
        language=text.language or _language(text),
        sectors=sectors.tag(found, grade),
        mentions=mentions,
        reasons=reasons,
    )


def worth_fetching(title: str, summary: str, *, language: str, country: str, lexicon: Lexicon) -> bool:
    """Is the page behind a title and a summary worth a request? Generous: one side named is enough beside a source of
    the other side; elsewhere both, or a bridge."""
    text = Text(title=title, text=summary, language=language, country=country)
    need = frozenset(lexicon.sides) - {passages.context_of(text, lexicon)}
    if not names(fold(f"{title}\n{summary[: passages.MOST]}").cased, need, lexicon):
        return False
    found = passages.read(text, lexicon)
    return len(found.found | ({found.context} if found.context else set())) == 2


def _mentions(found: passages.Passages) -> tuple[Mention, ...]:
    """Evidence as it is stored: names of the topic's sides, bridges, and bodies of no country.

    Where a side is known by the source or the dateline alone, its masked and weak names stand for it.
    """
    implied = found.context if found.context not in found.found else ""
    evidence = {name: set(hits) for name, hits in found.evidence.items()}
    return tuple(
        mention(hit, found.folded[name], found.source[name], name)
        for name in ("title", "text")
        for hit in found.hits[name]
        if not hit.thing.foreign and (hit in evidence[name] or (implied and implied in hit.thing.sides))
    )


def _both_named(mentions: tuple[Mention, ...], lexicon: Lexicon) -> bool:
    return any(m.kind == "bridge" for m in mentions) or {m.side for m in mentions} >= set(lexicon.sides)


def _language(text: Text) -> str:
    from crawler.language import detect

    return detect(f"{text.title}\n{text.text[:2000]}")


def classification_json(id: str, c: Classification) -> dict[str, Any]:
    """The line that `pakrus classify` prints (INTERFACE.md)."""
    return {
        "id": id,
        "grade": c.grade,
        "score": c.score,
        "language": c.language,
        "sectors": [
            {
                "sector": s.sector,
                "score": s.score,
                "evidence": [{"field": e.field, "quote": e.quote, "start": e.start} for e in s.evidence],
            }
            for s in c.sectors
        ],
        "mentions": [
            {"kind": m.kind, "name": m.name, "field": m.field, "quote": m.quote, "start": m.start} for m in c.mentions
        ],
    }
