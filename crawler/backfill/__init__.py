"""History: archives of the web (WARC) and of extracted articles (Parquet), read for what concerns the pair.

run (run.py): which files, the ledger, one writer: a transaction a file, then the stories in order of time
  -> results (pools.py): in this process, or on a Dask cluster
    -> work (work.py): one file in a worker: fetch it, scan it, answer or say why not
      -> scan (scan.py): byte prefilter, extraction and judgement of the survivors. Pure
        -> records (archives.py): the pages of one file; a file that is not whole is an error

Importing this costs nothing: FastWARC, pyarrow and Dask are loaded by what uses them (extra `backfill`).
"""
