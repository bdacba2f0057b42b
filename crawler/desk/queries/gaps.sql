-- Where may items have been lost?
-- Visits that overlapped with nothing known, and what was found afterwards.
SELECT n.name AS source, g."from", g."to", round(24 * (julianday(g."to") - julianday(g."from")), 1) AS hours,
    coalesce(g.backfilled, 'still open') AS backfilled, g.found
FROM gaps g JOIN sources n ON n.id = g.source_id ORDER BY g."to" DESC, source;
