-- On which figures do the sources disagree?
-- Who says what, in which words.
SELECT s.headline, f.unit, f.value, n.name AS source, f.quote, a.url, f.story_id
FROM story_figures f JOIN stories s ON s.id = f.story_id JOIN articles a ON a.id = f.article_id
    JOIN sources n ON n.id = a.source_id
ORDER BY s.last_published_at DESC, f.story_id, f.unit, f.value, source;
