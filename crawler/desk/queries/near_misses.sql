-- Rejects near the threshold
-- What was read and left out by the smallest margin: look here for what is missed.
SELECT round(score, 3) AS score, first_seen_at, source, title, reason, url, entry_id FROM rejects
WHERE score > 0 ORDER BY rejects.score DESC, first_seen_at DESC LIMIT 200;
