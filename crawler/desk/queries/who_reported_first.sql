-- Who reports first?
-- Of the stories that several sources carry: how often each was the first. since, until: days, empty for all.
WITH told AS (
    SELECT a.story_id, a.source_id, min(coalesce(a.published_at, a.first_seen_at)) AS at FROM articles a
    WHERE a.day >= :since AND (:until = '' OR a.day <= :until) GROUP BY a.story_id, a.source_id
), ranked AS (
    SELECT *, rank() OVER (PARTITION BY story_id ORDER BY at) AS place, count(*) OVER (PARTITION BY story_id) AS sources
    FROM told
)
SELECT n.name AS source, n.country, sum(r.place = 1) AS first, count(*) AS shared_stories,
    round(100.0 * sum(r.place = 1) / count(*), 1) AS percent
FROM ranked r JOIN sources n ON n.id = r.source_id
WHERE r.sources > 1 GROUP BY r.source_id ORDER BY first DESC, percent DESC, source;
