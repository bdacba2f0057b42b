"""RIA Novosti on Pakistan: the page of the country, the day in each article's address."""

from crawler.spiders.sites import Site

SITE = Site(
    item="div.list-item",
    link="a.list-item__title",
    time=".list-item__date",
    address=r"^https?://(?:[a-z]+\.)?ria\.ru/(?P<year>20\d{2})(?P<month>\d{2})(?P<day>\d{2})/",
    language="ru",
)
