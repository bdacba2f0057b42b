-- What came late?
-- Published more than 48 hours before we saw it, in the words of the digest.
SELECT a.first_seen_at, a.published_at,
    round(julianday(a.first_seen_at) - julianday(a.published_at), 1) AS days_late, n.name AS source, a.title, a.url
FROM articles a JOIN sources n ON n.id = a.source_id
WHERE a.published_precision <> 'unknown' AND julianday(a.first_seen_at) - julianday(a.published_at) > 2
ORDER BY a.first_seen_at DESC, a.id;
