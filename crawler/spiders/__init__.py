"""The crawl: one Scrapy engine, without a reactor, for all sources and the pages they lead to.

crawl (engine.py): which sources and pages, and what came of them
  -> Fetcher (fetch.py): one GET with its redirects: guard, robots.txt, pace, Retry-After, the row of the request
    -> Scrapy's engine and downloader (settings.py says how little of it is on)
      -> Wire (wire.py): one exchange: connected address, certificates, deadline, bounded body (body.py)
"""
