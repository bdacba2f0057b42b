-- Search
-- Any form of a word finds every other: words, "phrases", AND, OR, NOT, parentheses, wheat*.
SELECT l.day, l.source, l.language, l.grade, l.title, l.sectors, l.url, l.story_id
FROM article_search f JOIN article_list l ON l.article_id = f.rowid
WHERE article_search MATCH search(:search) ORDER BY bm25(article_search, 5.0, 1.0), l.article_id DESC LIMIT 200;
