"""robots.txt (RFC 9309): what a host allows us, and when to ask it again. Pure: the text lies in the store.

Protego reads the rules: the longest match wins, our own group before the one for all, groups of one name are merged.
Whose group it is we say: Protego takes "pak" for a name of ours, and "pakrus/0.1" for none.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from protego import Protego

from store.records import HostState

MAX_BYTES = 500 * 1024  # RFC 9309, 2.5: at least so much must be read; what follows is not
FRESH = timedelta(days=1)  # RFC 9309, 2.4
ASK_AGAIN = timedelta(minutes=1)  # after a failure; the visits themselves back off
SLACK = timedelta(minutes=1)
_AGENT = re.compile(r"\s*user[- ]?agent\s*(?::|\s)\s*([^#]*)", re.I)
MOST_DELAY_S = 60.0  # a longer Crawl-delay would keep a feed of fifty pages busy for more than an hour


def is_stale(state: HostState, now: datetime) -> bool:
    """Whether robots.txt is to be asked for: never had, a day old, failed the last time, or from the future."""
    if state.robots_at is None or state.robots_at > now + SLACK:
        return True
    good = state.robots is not None and state.robots_good_at == state.robots_at
    return now - state.robots_at >= (FRESH if good else ASK_AGAIN)


def answered(status: int) -> bool:
    """Whether an answer settles what is allowed: 2xx by its text, 4xx by allowing everything (RFC 9309, 2.3.1.3). A
    5xx settles nothing, nor does 429, which says "not now"."""
    return 200 <= status < 300 or (400 <= status < 500 and status != 429)


def allows(text: str, url: str, agent: str) -> bool:
    """Whether a robots.txt lets `agent` (a product token or a whole User-Agent header) fetch the URL."""
    return _parsed(text, product(agent)).can_fetch(url, product(agent))


def delay_s(text: str, agent: str) -> float | None:
    """The Crawl-delay that holds for `agent`, at most a minute."""
    delay = _parsed(text, product(agent)).crawl_delay(product(agent))
    return None if delay is None else min(delay, MOST_DELAY_S)


def sitemaps(text: str) -> list[str]:
    """The sitemaps that a robots.txt names, as written."""
    return list(_parsed(text, "").sitemaps)


def product(agent: str) -> str:
    """``pakrus`` of ``pakrus/0.1 (+https://example.org/bot)``: the link does not make us one of the group "bot"."""
    return agent.split("/", 1)[0].split(" ", 1)[0].lower()


@lru_cache(maxsize=256)  # hosts of one pass; a text is a few kilobytes
def _parsed(text: str, token: str) -> Protego:
    return Protego.parse("\n".join(_named(line, token) for line in text.splitlines()))


def _named(line: str, token: str) -> str:
    """A line that names an agent, with our token where it means us and no part of it elsewhere: RFC 9309, 2.2.1 asks
    for the whole token, in any case; what follows it (a version, a wild card) does not count."""
    match = _AGENT.match(line)
    if match is None or match[1].startswith("*"):
        return line
    name = re.split(r"[/\s*]", match[1], maxsplit=1)[0].lower()
    return f"User-agent: {token if name == token else f'not-{token}'}"
