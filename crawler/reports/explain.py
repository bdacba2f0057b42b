"""`pakrus explain`: why kept, rejected, tagged, merged, with quotes and offsets."""

import json
from typing import Any

from crawler.terminal import plain
from store.connection import Store
from store.records import is_id


def report(store: Store, reference: str) -> dict[str, Any]:
    """All that is known of an entry or article by URL, canonical URL or id (articles first). Raises NotStored."""
    from crawler import urls

    run = store.connection.execute
    article = None
    if is_id(reference):
        article = run("SELECT * FROM articles WHERE id = ?", (int(reference),)).fetchone()
    else:
        key = urls.canonical(reference)
        article = run(
            "SELECT * FROM articles WHERE canonical_url IN (?, ?) OR url = ?", (key, reference, reference)
        ).fetchone()
        reference = key if article is None else reference
    if article is None:
        entry = store.frontier.find(reference)
        if entry["article_id"] is None:
            return _entry(store, entry)
        article = store.articles.row(entry["article_id"])
    return _article(store, article)


def _entry(store: Store, entry: Any) -> dict[str, Any]:
    document = store.documents.get(entry["id"])
    return {
        "entry_id": entry["id"],
        "article_id": None,
        "url": entry["url"],
        "title": document[0] if document else entry["title"],
        "state": entry["state"],
        "reason": entry["reason"],
        "score": entry["score"],
        "tries": entry["tries"],
        "next_try_at": entry["next_try_at"],
        "first_seen_at": entry["first_seen_at"],
        "source": entry["source_id"],
    }


def _article(store: Store, row: Any) -> dict[str, Any]:
    run = store.connection.execute
    sightings = run(
        "SELECT id, source_id, first_seen_at, state, reason FROM entries WHERE article_id = ? ORDER BY id", (row["id"],)
    )
    story = store.stories.overview(row["story_id"])
    others = [a for a in store.articles.of_story(row["story_id"]) if a.id != row["id"]]
    mentions = store.articles.mentions(row["id"])
    why = _why(store, row, [a.id for a in others])
    return {
        "article_id": row["id"],
        "url": row["url"],
        "canonical_url": row["canonical_url"],
        "title": row["title"],
        "grade": row["grade"],
        "score": row["score"],
        "language": row["language"],
        "published_at": row["published_at"],
        "published_precision": row["published_precision"],
        "published_from": row["published_from"],
        "first_seen_at": row["first_seen_at"],
        "withdrawn_at": row["withdrawn_at"],
        "origin": row["origin"],
        "duplicate_of": row["duplicate_of"],
        "reasons": json.loads(row["reasons"]),
        "sectors": [
            {
                "sector": sector,
                "score": score,
                "evidence": [_quote(m) for m in mentions if m.kind == "sector" and m.name == sector],
            }
            for sector, score in store.articles.get(row["id"]).sectors
        ],
        "mentions": [{"kind": m.kind, "name": m.name, **_quote(m)} for m in mentions if m.kind != "sector"],
        "sightings": [dict(s) for s in sightings],
        "story": {
            "story_id": story["story_id"],
            "headline": story["headline"],
            "articles": [
                {
                    "article_id": a.id,
                    "title": a.title,
                    "language": a.language,
                    "source": a.source_id,
                    "duplicate_of": a.duplicate_of,
                    "why": why[a.id],
                }
                for a in others
            ],
            "merges": [dict(m) for m in store.stories.merges(row["story_id"])],
            "moves": [dict(m) for m in store.stories.moves(row["id"])],
            "words": _words(store, row["canonical_url"]),
            "figures": [dict(f) for f in store.stories.figures(row["story_id"])],
        },
        "revisions": len(store.articles.revisions(row["id"])),
    }


def _why(store: Store, row: Any, others: list[int]) -> dict[int, str]:
    """What the pair of each of these articles and the one in `row` says of their being of one event."""
    from crawler import cluster

    def profile(article_id: int) -> cluster.Profile:
        return cluster.Profile.from_json(json.loads(store.articles.member(article_id).profile))

    busy = store.articles.busy(row["day"])
    verdicts = {id_: cluster.same_event(profile(row["id"]), profile(id_), busy=busy) for id_ in others}
    return {id_: f"{v.score:+.1f}: {'; '.join(v.reasons)}" for id_, v in verdicts.items()}


def _words(store: Store, canonical_url: str) -> list[dict[str, str]]:
    """What a person said of the stories that an article belongs to."""
    together, apart = store.marks.pairs()
    found = [(word, pair) for word, pairs in (("apart", apart), ("together", together)) for pair in pairs]
    return [
        {"word": word, "url": next(iter(pair - {canonical_url}))}
        for word, pair in sorted(found, key=lambda f: (f[0], sorted(f[1])))
        if canonical_url in pair
    ]


def _quote(mention: Any) -> dict[str, Any]:
    return {"field": mention.field, "quote": mention.quote, "start": mention.start}


def _ids(articles: str) -> str:
    """One of the articles that came with a merged story."""
    return str(next(iter(json.loads(articles)), "ID"))


def lines(value: dict[str, Any]) -> str:
    if value["article_id"] is None:
        out = [
            plain(value["title"] or "(untitled)"),
            f"  {plain(value['url'] or 'no link')}",
            f"  entry {value['entry_id']} of {value['source']}, first seen {value['first_seen_at']}",
            f"  {value['state']}: {plain(value['reason'] or 'waiting for its page')}",
        ]
        if value["score"] is not None:
            out.append(f"  score {value['score']:.2f}")
        if value["next_try_at"]:
            out.append(f"  {value['tries']} tries, next at {value['next_try_at']}")
        return "\n".join(out)
    out = [
        plain(value["title"]),
        f"  {plain(value['url'])}",
        f"  article {value['article_id']}, grade {value['grade']}, score {value['score']:.2f}, {value['language']},"
        f" published {value['published_at'] or 'undated'}"
        f" ({value['published_precision']}, from {value['published_from']})",
    ]
    if value["origin"]:
        out.append(f"  origin: {plain(value['origin'])}")
    if value["duplicate_of"]:
        out.append(f"  copy of article {value['duplicate_of']}")
    out.append("why:")
    shown: dict[str, list[str]] = {}  # a quote with its place -> what it speaks for, the heaviest first
    for reason in value["reasons"]:
        place = f"{reason.get('field', '')}@{reason.get('start', '')}"
        quote = f"«{plain(reason['quote'])}» {place}" if reason.get("quote") else "(no one place)"
        detail = f": {plain(str(reason['detail']))}" if reason.get("detail") else ""
        shown.setdefault(quote, []).append(f"  {reason.get('weight', 0):+6.2f}  {reason['code']}{detail}")
    for quote, reasons in shown.items():
        out += [f"  {quote}", *(f"  {line}" for line in reasons)]
    out.append("sectors:")
    for sector in value["sectors"]:
        proof = "; ".join(f"«{plain(e['quote'])}» {e['field']}@{e['start']}" for e in sector["evidence"][:5])
        out.append(f"  {sector['score']:.2f}  {sector['sector']}: {proof}")
    named: dict[tuple[str, str], list[str]] = {}
    for m in value["mentions"]:
        named.setdefault((m["kind"], m["name"]), []).append(f"«{plain(m['quote'])}» {m['field']}@{m['start']}")
    out.append("mentions:")
    out += [f"  {kind} {name}: {', '.join(quotes[:4])}" for (kind, name), quotes in named.items()]
    story = value["story"]
    out.append(f"story {story['story_id']}: {plain(story['headline'])}")
    for a in story["articles"]:
        copy = f", copy of {a['duplicate_of']}" if a["duplicate_of"] else ""
        out.append(f"  {a['article_id']} ({a['language']}, {plain(a['source'])}{copy}) {plain(a['title'])}")
        out.append(f"      {plain(a['why'])}")
    for merge in story["merges"]:
        out.append(
            f"  joined with story {merge['merged_id']} at {merge['at']} by article {merge['article_id']}:"
            f" {plain(merge['reasons'])}; undo: `pakrus mark {_ids(merge['articles'])} apart ID`, ID of the others"
        )
    for move in story["moves"]:
        by = f" by article {move['by_article']}" if move["by_article"] else ""
        way = f"from story {move['from_story']} to {move['to_story']}"
        out.append(f"  moved {way} at {move['at']}{by}: {plain(move['reasons'])}")
    out += [f"  {word['word']}, says a person: {plain(word['url'])}" for word in story["words"]]
    for figure in story["figures"]:
        out.append(
            f"  disputed: {figure['value']:,.10g} {figure['unit']}, article {figure['article_id']}:"
            f" «{plain(figure['quote'])}» {figure['field']}@{figure['start']}"
        )
    for s in value["sightings"]:
        out.append(f"seen in {s['source_id']} at {s['first_seen_at']}: {s['state']}, {plain(s['reason'])}")
    return "\n".join(out)
