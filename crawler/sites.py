"""What the config knows of a page by its site alone: the country it speaks from, and its time zone. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.config import Config, http_url_or_none

# National domains of the beat and its neighbours; the others (.com, .io, .tv) say nothing.
NATIONAL = {"pk": "PK", "ru": "RU", "su": "RU", "xn--p1ai": "RU", "in": "IN", "kz": "KZ", "by": "BY", "ua": "UA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The sites of the sources, each with the country and the zone of the first source that has one."""

    countries: Mapping[str, str]
    zones: Mapping[str, ZoneInfo]
    zone: ZoneInfo  # of all other sites

    @classmethod
    def of(cls, config: Config) -> Self:
        countries: dict[str, str] = {}
        zones: dict[str, ZoneInfo] = {}
        for source in config.sources:
            if source.role != "source":
                continue
            site = urls.site(source.url)
            if source.country:
                countries.setdefault(site, source.country)
            if source.zone:
                zones.setdefault(site, source.zone)
        return cls(countries=countries, zones=zones, zone=config.timezone)

    def country_of(self, url: str) -> str:
        """ISO 3166: that of the source with this site, else of its national domain, else ""."""
        if not urls.is_sound(url) and http_url_or_none(url) is None:
            return ""
        site = urls.site(url)
        return self.countries.get(site) or NATIONAL.get(site.partition(":")[0].rpartition(".")[2], "")

    def zone_of(self, url: str) -> ZoneInfo:
        """The zone of times on this site that name none."""
        return self.zones.get(urls.site(url), self.zone)
