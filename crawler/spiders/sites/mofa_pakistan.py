"""Foreign ministry of Pakistan: press releases, statements and briefings, each under its list's path."""

from crawler.spiders.sites import Site

SITE = Site(
    item="a[href]",
    address=r"^https?://(?:www\.)?mofa\.gov\.pk/(?:press-releases|news|media-briefings|statements)/[\w%-]{8,}",
    language="en",
)
