-- With whom is a name named?
-- Without one, Gazprom.
SELECT o.kind, o.name, count(DISTINCT o.article_id) AS articles, min(a.day) AS first_day, max(a.day) AS last_day
FROM mentions m JOIN mentions o ON o.article_id = m.article_id AND o.name <> m.name JOIN articles a ON a.id = m.article_id
WHERE m.name = coalesce(nullif(:name, ''), 'gazprom') AND o.kind IN ('person', 'body', 'project')
GROUP BY o.kind, o.name ORDER BY articles DESC, o.name;
