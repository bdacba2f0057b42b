-- Everything with both of two names
-- In whatever spelling and script. Without them, Gazprom and OGDCL; the query "Who is named" lists all.
SELECT l.day, l.source, l.language, l.title, l.sectors, l.url, l.story_id FROM article_list l
WHERE l.article_id IN (
    SELECT article_id FROM mentions WHERE name = coalesce(nullif(:name, ''), 'gazprom')
    INTERSECT
    SELECT article_id FROM mentions WHERE name = coalesce(nullif(:and_name, ''), 'ogdcl'))
ORDER BY l.published_at DESC, l.article_id;
