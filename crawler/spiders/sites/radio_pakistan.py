"""Radio Pakistan: no feed; each article's address begins with its day, so the front page needs no selectors."""

from crawler.spiders.sites import Site

SITE = Site(
    item="a[href]",
    address=r"^https?://(?:www\.)?radio\.gov\.pk/(?P<day>\d{2})-(?P<month>\d{2})-(?P<year>20\d{2})/[^/?#]{8,}",
    language="en",
)
