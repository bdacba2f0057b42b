-- A story, article by article
-- story_id: without one, the story with most articles.
SELECT coalesce(a.published_at, a.first_seen_at) AS at, n.name AS source, a.country, a.language, a.title,
    a.duplicate_of IS NOT NULL AS copy, a.origin, a.url, a.id AS article_id
FROM articles a JOIN sources n ON n.id = a.source_id
WHERE a.story_id = coalesce(nullif(:story_id, ''),
    (SELECT story_id FROM articles GROUP BY story_id ORDER BY count(*) DESC, story_id LIMIT 1))
ORDER BY at, a.id;
