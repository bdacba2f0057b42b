-- What was edited after it came out?
-- Each version that was replaced, with its title; `pakrus history ID --diff` shows the words.
SELECT r.seen_at, n.name AS source, r.title AS title_before,
    coalesce(lead(r.title) OVER (PARTITION BY r.article_id ORDER BY r.seen_at), a.title) AS title_after,
    length(a.text) - length(r.text) AS characters_more, a.url, a.id AS article_id
FROM revisions r JOIN articles a ON a.id = r.article_id JOIN sources n ON n.id = a.source_id
ORDER BY r.seen_at DESC, a.id;
