-- Wheat in 2025, month by month
-- Any search and any year: without them, wheat in three languages and 2025.
SELECT substr(a.day, 1, 7) AS month, count(DISTINCT a.story_id) AS stories, count(*) AS articles,
    sum(a.country = 'PK') AS pakistani, sum(a.country = 'RU') AS russian
FROM article_search f JOIN articles a ON a.id = f.rowid
WHERE article_search MATCH search(coalesce(nullif(:search, ''), 'wheat OR пшеница OR گندم'))
    AND a.day LIKE coalesce(nullif(:year, ''), '2025') || '-%'
GROUP BY month ORDER BY month;
