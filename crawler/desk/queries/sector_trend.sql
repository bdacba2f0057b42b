-- Which sectors rise and fall?
-- Stories of the last seven days of the database against a week of the four before.
WITH last AS (SELECT max(day) AS day FROM articles),
counted AS (
    SELECT x.sector, a.story_id, max(a.day) > date(last.day, '-7 days') AS this_week
    FROM last JOIN articles a ON a.day > date(last.day, '-35 days') JOIN article_sectors x ON x.article_id = a.id
    GROUP BY x.sector, a.story_id
)
SELECT sector, sum(this_week) AS this_week, round(sum(NOT this_week) / 4.0, 2) AS usual_week,
    round(sum(this_week) - sum(NOT this_week) / 4.0, 2) AS change
FROM counted GROUP BY sector ORDER BY change DESC, sector;
