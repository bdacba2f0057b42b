-- A sector over the weeks
-- Without a sector, all of them. A week is named by its Monday.
SELECT date(a.day, '-6 days', 'weekday 1') AS week, x.sector, count(DISTINCT a.story_id) AS stories,
    count(*) AS articles
FROM article_sectors x JOIN articles a ON a.id = x.article_id
WHERE :sector = '' OR x.sector = :sector
GROUP BY week, x.sector ORDER BY week DESC, stories DESC, x.sector;
