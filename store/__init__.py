"""What we know: one SQLite file. Never imports `crawler`.

`connection.open_store` opens it; a `Store` has a drawer for each kind of row (sources, hosts, frontier, documents,
articles, stories, visits, digests, marks). `schema.py` holds the migrations and the views for people, `records.py` the
nouns shared with the crawler. There is one long writer at a time; readers never wait.
"""
