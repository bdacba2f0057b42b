-- What was withdrawn?
-- Articles whose page has gone (404 or 410); we keep what they said.
SELECT a.withdrawn_at, n.name AS source, a.published_at, a.title, a.url, a.story_id
FROM articles a JOIN sources n ON n.id = a.source_id
WHERE a.withdrawn_at IS NOT NULL ORDER BY a.withdrawn_at DESC, a.id;
