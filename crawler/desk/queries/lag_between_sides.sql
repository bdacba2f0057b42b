-- How long until the other side reports?
-- Stories that both sides carry: who was first, and the hours until the other.
WITH sides AS (
    SELECT story_id, min(CASE WHEN country = 'PK' THEN coalesce(published_at, first_seen_at) END) AS pakistan,
        min(CASE WHEN country = 'RU' THEN coalesce(published_at, first_seen_at) END) AS russia
    FROM articles WHERE day >= :since GROUP BY story_id
)
SELECT s.headline, CASE WHEN pakistan <= russia THEN 'PK' ELSE 'RU' END AS first_side, pakistan AS first_in_pakistan,
    russia AS first_in_russia, round(24 * abs(julianday(pakistan) - julianday(russia)), 1) AS hours, story_id
FROM sides JOIN stories s ON s.id = story_id
WHERE pakistan IS NOT NULL AND russia IS NOT NULL ORDER BY max(pakistan, russia) DESC, story_id;
