"""Press Information Department of Pakistan: handouts under a running number, in English and Urdu."""

from crawler.spiders.sites import Site

SITE = Site(
    item="a[href]",
    address=r"^https?://(?:www\.)?pid\.gov\.pk/site/press_detail/\d+",
)
