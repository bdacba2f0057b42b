"""How we come to know it. The pipeline, in the order in which an article passes:

    daemon      asks the store what is due                              store.sources, store.frontier
    spiders     fetch it, politely, in one engine                       bytes -> Fetched
    readers     say what a source lists (in a worker)                   Fetched -> Reading of Entry
    ingest      writes the entries; the pages of some are fetched next  -> the ledger
    extract     says what a page says (in a worker)                     Fetched -> Document
    classify    grades it and tags its sectors, with the words for it   Document -> Classification
    cluster     finds its copies and its story                          -> Profile, Placement
    ingest      writes all of it in one transaction                     -> articles, stories
    digest      makes one edition of what was first seen since          rows -> Facts -> Edition -> files

`types.py` holds the values that travel; everything that judges is pure, everything that acts is thin.
"""

VERSION = "0.1.0"
