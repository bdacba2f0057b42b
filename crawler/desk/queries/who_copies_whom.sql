-- Whose reports are repeated?
-- The wires and ministries that articles name, and how many were copies.
SELECT a.origin, count(*) AS articles, count(a.duplicate_of) AS copies, count(DISTINCT a.source_id) AS sources,
    count(DISTINCT a.story_id) AS stories
FROM articles a WHERE a.origin <> '' GROUP BY a.origin ORDER BY articles DESC, a.origin;
