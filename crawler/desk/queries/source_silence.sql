-- Which source has fallen silent?
-- Hours since a source last brought something new, against its usual hours between two items of the last 30 days.
WITH clock AS (SELECT max(started_at) AS now FROM visits),
seen AS (
    SELECT e.source_id, max(e.first_seen_at) AS last, min(e.first_seen_at) AS first, count(*) AS items
    FROM clock JOIN entries e ON e.first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', clock.now, '-30 days')
    GROUP BY e.source_id
)
SELECT n.name AS source, n.state, n.last_good_at, s.last AS last_new_item,
    round(24 * (julianday(clock.now) - julianday(s.last)), 1) AS silent_hours,
    round(24 * (julianday(s.last) - julianday(s.first)) / nullif(s.items - 1, 0), 1) AS usual_hours, s.items AS items_30d
FROM sources n CROSS JOIN clock LEFT JOIN seen s ON s.source_id = n.id
WHERE n.retired_at IS NULL AND n.kind <> 'none' AND n.state <> 'disabled'
ORDER BY silent_hours IS NULL DESC, silent_hours - coalesce(usual_hours, 0) DESC, source;
