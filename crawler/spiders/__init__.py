"""The crawl: one Scrapy engine, without a reactor, for all sources and the pages they lead to.

crawl (engine.py): a pass over the due sources (visits.py) and their pages (pages.py); what came of it (summary.py)
  -> Fetcher (fetch.py): one GET with its redirects: guard, robots.txt, pace, Retry-After, the row of the request
    -> Scrapy's engine and downloader (settings.py says how little of it is on)
      -> Wire (wire.py): one exchange: connected address, certificates, deadline, bounded body (body.py)
"""
