"""The desk: Datasette over the database, read-only beside whoever writes (extra `desk`).

`about` says what Datasette is to know of our tables and questions, `serve` runs it. A question is a file of `queries/`.
"""
