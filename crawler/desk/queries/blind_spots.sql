-- Blind spots: what does one side not report?
-- Per sector the stories that both sides carry, and those that the other side has not.
SELECT x.sector, count(*) AS stories, sum(x.pk AND x.ru) AS both_sides, sum(x.pk AND NOT x.ru) AS missing_in_russia,
    sum(x.ru AND NOT x.pk) AS missing_in_pakistan, sum(NOT x.pk AND NOT x.ru) AS third_countries_only
FROM (
    SELECT s.sector, a.story_id, max(a.country = 'PK') AS pk, max(a.country = 'RU') AS ru
    FROM article_sectors s JOIN articles a ON a.id = s.article_id
    WHERE a.day >= :since AND (:until = '' OR a.day <= :until)
    GROUP BY s.sector, a.story_id
) x GROUP BY x.sector ORDER BY stories DESC, x.sector;
