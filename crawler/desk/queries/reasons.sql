-- Why are items left out?
-- The reasons of the ledger, with how often and an example.
SELECT state, reason, count(*) AS items, count(DISTINCT source_id) AS sources, max(first_seen_at) AS last_seen,
    max(title) AS example
FROM entries WHERE state NOT IN ('kept', 'duplicate') GROUP BY state, reason ORDER BY items DESC, state, reason;
