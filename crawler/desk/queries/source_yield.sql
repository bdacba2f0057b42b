-- What does each source bring?
-- Items seen, kept and copied; how much of the beat would be missing without it.
SELECT n.name AS source, n.country, n.language, n.state, count(e.id) AS seen, sum(e.state IN ('kept', 'duplicate')) AS kept,
    round(100.0 * sum(e.state IN ('kept', 'duplicate')) / count(e.id), 1) AS percent,
    (SELECT count(*) FROM stories s WHERE s.id IN (SELECT story_id FROM articles a WHERE a.source_id = n.id)
        AND NOT EXISTS (SELECT 1 FROM articles o WHERE o.story_id = s.id AND o.source_id <> n.id)) AS stories_of_its_own
FROM sources n JOIN entries e ON e.source_id = n.id
GROUP BY n.id ORDER BY kept DESC, source;
