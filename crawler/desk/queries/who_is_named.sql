-- Who is named?
-- Persons, bodies, projects, places of the lexicon, and how they are written. kind: one of these, empty for the first three.
SELECT m.kind, m.name, count(DISTINCT m.article_id) AS articles, count(DISTINCT a.story_id) AS stories,
    group_concat(DISTINCT m.quote) AS written
FROM mentions m JOIN articles a ON a.id = m.article_id
WHERE m.kind IN ('person', 'body', 'project', 'place') AND CASE :kind WHEN '' THEN m.kind <> 'place' ELSE m.kind = :kind END
GROUP BY m.kind, m.name ORDER BY articles DESC, m.name LIMIT 500;
