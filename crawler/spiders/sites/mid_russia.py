"""Foreign ministry of Russia and its embassies (Pakistan's is pakistan.mid.ru): news under a running number or a name.

The platform stands behind a bot wall; the crawl tells that and rests. The declaration is for whoever is let in.
"""

from crawler.spiders.sites import Site

SITE = Site(
    item="a[href]",
    address=r"^https?://(?:[a-z]+\.)?mid\.ru/(?:ru|en)/(?:foreign_policy/(?:news|rso)/\d+"
    r"|(?:press-centre|news|embassy/news)/[\w%-]{8,})",
)
