"""From a document to what is stored of it: the verdict, the article, and its new version after an edit."""

import hashlib
import re
from dataclasses import fields, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler import cluster, urls
from crawler.app import App
from crawler.classify import classify
from crawler.placing import place
from crawler.shadow import shadow
from crawler.text import sentences
from crawler.types import Classification, Document, Moment, Reason, SectorScore, Text
from store.articles import NewArticle
from store.marks import Word
from store.records import Article, MentionRow, State

MOST_TEXT = 400_000  # characters of a text; a longer one is cut: no article of this beat is a book
MOST_TITLE = 500
MOST_HEADLINE = 120  # of a headline that we take from the text


def judge(app: App, document: Document, *, source_id: str, country: str) -> Classification:
    """The verdict on a document; a person's word on its page goes before the program's."""
    verdict = classify(
        Text(
            title=clean(document.title)[:MOST_TITLE],
            text=clean(document.text)[:MOST_TEXT],
            language=document.language,
            url=document.url,
            published=document.published.instant if document.published else None,
            country=country,
            source=source_id,
        ),
        app.lexicon,
    )
    word = app.store.marks.word(urls.canonical(document.canonical_url or document.url))
    return verdict if word is None else _as_marked(verdict, word)


def _as_marked(verdict: Classification, word: Word) -> Classification:
    grade = verdict.grade if word.grade is None else word.grade
    sectors = verdict.sectors
    if word.sectors is not None:
        found = {s.sector: s.evidence for s in verdict.sectors}
        sectors = tuple(SectorScore(sector=s, score=1.0, evidence=found.get(s, ())) for s in word.sectors)
    said = Reason(code="mark", weight=1.0, detail="a person's word")
    return replace(verdict, grade=grade, sectors=sectors, reasons=(*verdict.reasons, said))


_REASON = tuple(field.name for field in fields(Reason))


def new_article(
    app: App, document: Document, verdict: Classification, *, source_id: str, country: str, first_seen: datetime
) -> NewArticle:
    """All that is stored of an article, worked out from its document and its verdict."""
    title, text = clean(document.title)[:MOST_TITLE], clean(document.text)[:MOST_TEXT]
    published = document.published or Moment(instant=None)
    instant = published.instant
    profile = cluster.profile(
        title=title,
        text=text,
        language=verdict.language,
        published=instant,
        first_seen=first_seen,
        classification=verdict,
        lexicon=app.lexicon,
    )
    evidence = [
        MentionRow(kind="sector", name=sector.sector, field=e.field, start=e.start, quote=e.quote)
        for sector in verdict.sectors
        for e in sector.evidence
    ]
    return NewArticle(
        url=document.url,
        canonical_url=urls.canonical(document.canonical_url or document.url),
        source_id=source_id,
        title=title,
        text=text,
        author=clean(document.author)[:MOST_TITLE],
        language=verdict.language,
        country=country,
        published_at=instant,
        published_precision=published.precision if instant else "unknown",
        published_from=published.origin if instant else "unknown",
        first_seen_at=first_seen,
        day=local_day(instant or first_seen, app.config.timezone),
        grade=verdict.grade,
        score=verdict.score,
        origin=document.origin,
        dateline=document.dateline,
        text_hash=text_hash(title, text),
        reasons=[{k: v for k in _REASON if (v := getattr(r, k)) not in ("", -1)} for r in verdict.reasons],
        profile=profile.to_json(),
        sectors=[(s.sector, s.score) for s in verdict.sectors],
        mentions=[
            *(
                MentionRow(kind=m.kind, name=m.name, field=m.field, start=m.start, quote=m.quote)
                for m in verdict.mentions
            ),
            *evidence,
        ],
        fingerprint=cluster.fingerprint(f"{title}\n{text}"),
        story_keys=cluster.keys(profile),
        shadow=(shadow(title), shadow(text)),
    )


def revise(app: App, old: Article, document: Document, verdict: Classification, *, now: datetime) -> State:
    """Keeps the old version and judges the new one in its place. An edit never unmakes an article: it keeps grade 1."""
    app.store.articles.revise(old, seen_at=now)
    verdict = replace(verdict, grade=max(1, verdict.grade))
    published = document.published
    if published is None or published.instant is None or old.published_at is not None:
        # An edit moves no article to another day.
        published = Moment(instant=old.published_at, precision=old.published_precision, origin=old.published_from)
    document = replace(document, published=published, origin=document.origin or old.origin)
    new = new_article(
        app, document, verdict, source_id=old.source_id, country=old.country, first_seen=old.first_seen_at
    )
    placed = place(app, replace(new, url=old.url, canonical_url=old.canonical_url), now=now, old=old, edited=True)
    app.store.frontier.restate(old.id, placed.state)
    return placed.state


def headline(text: str) -> str:
    """A headline for a text that has none: its first sentence, cut at a word."""
    first = next((text[a:b] for a, b in sentences(text[:2_000])), text[:MOST_HEADLINE])
    line = " ".join(first.split())
    return line if len(line) <= MOST_HEADLINE else line[:MOST_HEADLINE].rsplit(" ", 1)[0] + " …"


def local_day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()


def text_hash(title: str, text: str) -> str:
    """sha256 over title and text with white space folded."""
    return hashlib.sha256(f"{' '.join(title.split())}\n{' '.join(text.split())}".encode()).hexdigest()


_SURROGATES = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which SQLite cannot hold as text; offsets are counted in what is stored."""
    return _SURROGATES.sub("", text)
