"""The one place where knowledge is written: ask the store, call the core, write in one transaction.

    listed      what a source listed: its visit, the items of it, what was in a gap
    pages       what a page said, at first and when it is read again
    lines       a document that somebody else has fetched
    articles    what the three share: the verdict on a document, the article made of it, its new version
    stored      what is stored, judged again

Judging happens before a transaction begins; what depends on the rows (copies, stories) inside it.
"""
