-- Stories that one side alone carries
-- side: PK or RU, empty for both; the most widely carried first.
SELECT max(a.day) AS day, s.headline, CASE WHEN max(a.country = 'PK') THEN 'PK' ELSE 'RU' END AS side,
    count(*) AS articles, count(DISTINCT a.source_id) AS sources, a.story_id
FROM articles a JOIN stories s ON s.id = a.story_id
WHERE a.day >= :since
GROUP BY a.story_id
HAVING max(a.country = 'PK') + max(a.country = 'RU') = 1 AND (:side = '' OR side = :side)
ORDER BY sources DESC, day DESC, a.story_id;
