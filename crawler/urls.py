"""Which page an address means: one canonical key a page, and links made usable.

A key is for comparing and stands beside the raw address, never in its place: it may be an address that the site does
not serve. Two addresses share a key only if they show the same page by a rule below; what a path says is never
lower-cased, because ``/AbC`` and ``/abc`` may be two articles.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qs, quote, unquote, urlsplit

MAX_LENGTH = 4096  # code points of an address; an Urdu slug in percent-encoding takes 1,500
_USER = re.compile(r"(?<=//)[^/?#\s@]*@")
_UNWRAPPINGS = 4  # an AMP cache around a redirect around a translation; deeper ones are hostile

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What separates the mobile, AMP and bare forms of one site.
_FORM_LABELS = frozenset({"www", "m", "amp", "mobile", "touch", "wap", "www2", "pda"})
_ALIASES = {
    "bbc.co.uk": "bbc.com",
    "sputniknews.com": "sputnikglobe.com",
    "telegram.me": "t.me",
    "telegram.dog": "t.me",
    "youtube-nocookie.com": "youtube.com",
    "express.com.pk": "express.pk",
}

_TRACKING = re.compile(
    r"""utm[_-].* | _ga | _gl | ga_.* | (?:fb|g|d|yad|y|ys|tt|tw)clid | [gw]braid | msclkid | igsh(?:id)? | gclsrc
    | fb_.* | fbc?\d* | mc_[ce]id | mkt_tok | mkwid | _?openstat | ref_?(?:src|url|source|id)? | referr?er
    | at_.* | ns_(?:mchannel|source|campaign|linkname|fee) | cmp | cmpid | ncid | ocid | spm | smid | smtyp | xtor
    | wt[._]?z?mc(?:[._].*)? | piano_.* | pk_.* | mtm_.* | matomo_.* | hsa_.* | hsctatracking | _?hs(?:enc|mi)
    | trk(?:campaign|info)? | vero_.* | oly_.* | s_(?:kwcid|cid) | sr_share | shared? | sharetype | spref
    | rcmd_.* | rss | traffic_source | maca | guccounter | guce_.* | taid | __twitter_impression
    | _x_tr_.* | google_editors_picks | amp | outputtype | usqp | _js_v | amp_js_v | amp_gsa | nocache | replytocom
    | phpsessid | jsessionid | aspsessionid.* | sessionid | cftoken | cfid | showcomment | print | printable
    | recommended_by | internal_(?:source|link)
    """,
    re.X | re.I,
)
# Parameters that only say where a reader came from when their value says so; elsewhere they may select the page.
_CHANNEL = re.compile(r"from|source|src|medium|via|utm|channel|feed|c|cid|campaign|tpcc", re.I)
_CHANNEL_VALUE = re.compile(
    r"(?:rss|feed|newsfeed|main|main_?page|top|toplist|telegram|tg|twitter|x|facebook|fb|vk|ok|whatsapp|e?mail|e?newsletter"
    r"|social|share|sharing|copy|app|mobile|push|yandex(?:_?news)?|ya|google(?:_?news)?|zen|dzen|smi2|mirtesen|homepage|lenta"
    r"|mostread|popular|related|article|materials_on_subject|column_\d+|from_main(?:_\d+)?|story_.*|short_news|news)",
    re.I,
)
_HOST_TRACKING = {
    "youtube.com": re.compile(r"(?!v$|list$).*"),  # all but the film and the playlist
    "t.me": re.compile(r".*"),
    "ria.ru": re.compile(r".*"),
    "tass.ru": re.compile(r".*"),
    "tass.com": re.compile(r".*"),
    "dawn.com": re.compile(r"(?!page$|q$|date$).*"),
    "rt.com": re.compile(r"(?!page$|q$).*"),
}

# (site, path, key): pages that a site finds by a number, whatever the rest of the path says. The key is written so
# that the rule maps it to itself. `site` also covers its subdomains, which stay apart.
_PATHS: tuple[tuple[str, str, str], ...] = (
    # the shared system of Dawn, Business Recorder and Aaj
    ("dawn.com", r"/news/(?:amp/|print/|card/)?(\d{4,})(?:/.*)?", r"/news/\1"),
    ("dawnnews.tv", r"/news/(?:amp/|print/)?(\d{4,})(?:/.*)?", r"/news/\1"),
    ("brecorder.com", r"/news/(?:amp/|print/)?(\d{4,})(?:/.*)?", r"/news/\1"),
    ("aaj.tv", r"/news/(?:amp/|print/)?(\d{4,})(?:/.*)?", r"/news/\1"),
    ("tribune.com.pk", r"/story/(?:amp/)?(\d{4,})(?:[/-].*)?", r"/story/\1"),
    ("express.pk", r"/story/(?:amp/)?(\d{4,})(?:[/-].*)?", r"/story/\1"),
    # Jang group; print and latest are counted apart
    ("thenews.com.pk", r"/(?:amp/)?(latest|print|tns/detail|magazine/[\w-]+)/(\d{4,})(?:[-/].*)?", r"/\1/\2"),
    ("geo.tv", r"/(latest|news)/(\d{4,})(?:[-/].*)?", r"/\1/\2"),
    ("jang.com.pk", r"/(news|en)/(\d{4,})(?:[-/].*)?", r"/\1/\2"),
    ("samaa.tv", r"/(?:news/)?(\d{6,})(?:[-/].*)?", r"/\1"),
    ("urdupoint.com", r"(/.+)/(?:[^/]+-)?(\d{6,})\.html", r"\1/\2.html"),
    ("arabnews.pk", r"/node/(\d{5,})(?:/.*)?", r"/node/\1"),
    ("arabnews.com", r"/node/(\d{5,})(?:/.*)?", r"/node/\1"),
    ("independenturdu.com", r"/node/(\d{3,})(?:/.*)?", r"/node/\1"),
    ("mofa.gov.pk", r"/press-releases/(\d+)(?:[-/].*)?", r"/press-releases/\1"),
    # Rossiya Segodnya
    ("ria.ru", r"/(\d{8})/(?:[^/]+-)?(\d{6,})\.html", r"/\1/\2.html"),
    ("sputnikglobe.com", r"/(\d{8})/(?:[^/]+-)?(\d{6,})\.html", r"/\1/\2.html"),
    ("sputniknews.in", r"/(\d{8})/(?:[^/]+-)?(\d{6,})\.html", r"/\1/\2.html"),
    ("inosmi.ru", r"/(\d{8})/(?:[^/]+-)?(\d{6,})\.html", r"/\1/\2.html"),
    ("1prime.ru", r"/(\d{8})/(?:[^/]+-)?(\d{6,})\.html", r"/\1/\2.html"),
    ("rt.com", r"(/[a-z][\w/-]*)/(\d{5,})(?:-[^/]*)?", r"\1/\2"),
    ("kommersant.ru", r"/(?:amp|doc)/(\d{5,})(?:/.*)?", r"/doc/\1"),
    ("vedomosti.ru", r"(/[\w/-]+/\d{4}/\d\d/\d\d)/(\d{5,})(?:-[^/]*)?", r"\1/\2"),
    ("rbc.ru", r"/rbcnews(/.*[0-9a-f]{24})", r"\1"),
    ("iz.ru", r"(?:/export/google/amp)?((?:/en)?)/(\d{6,})(?:/.*)?", r"\1/\2"),
    ("kremlin.ru", r"(/.*/\d+)/(?:print|photos|videos|audios)", r"\1"),
    ("themoscowtimes.com", r"(/\d{4}/\d\d/\d\d)/(?:[^/]+-)?(a\d{4,})(?:/.*)?", r"\1/\2"),
    # third countries
    ("thehindu.com", r"(?:/.*)?/article(\d{6,})\.ece", r"/article\1.ece"),
    ("mehrnews.com", r"/(?:news|amp)/(\d{4,})(?:/.*)?", r"/news/\1"),
    ("irna.ir", r"/(?:news|amp)/(\d{4,})(?:/.*)?", r"/news/\1"),
    ("tasnimnews.com", r"(/\w\w/news/\d{4}/\d\d/\d\d/\d+)(?:/.*)?", r"\1"),
    ("dw.com", r"/([a-z]{2}(?:-[a-z]+)?)/(?:[^/]+/)?(a-\d{5,})", r"/\1/\2"),
    ("urduvoa.com", r"/a/(?:[^/]+/)?(\d{4,})\.html", r"/a/\1.html"),
    ("voanews.com", r"/a/(?:[^/]+/)?(\d{4,})\.html", r"/a/\1.html"),
    ("svoboda.org", r"/a/(?:[^/]+/)?(\d{4,})\.html", r"/a/\1.html"),
    ("rferl.org", r"/a/(?:[^/]+/)?(\d{4,})\.html", r"/a/\1.html"),
    ("tengrinews.kz", r"(/[\w/]+)/(?:[^/]+-)?(\d{5,})", r"\1/\2"),
    ("timesofindia.indiatimes.com", r"(?:/.*)?/articleshow/(\d{5,})\.cms", r"/articleshow/\1.cms"),
    ("t.me", r"/s/(\w+/\d+)", r"/\1"),
)


def _rules(paths: Iterable[tuple[str, str, str]]) -> dict[str, list[tuple[re.Pattern[str], str]]]:
    table: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for name, path, key in paths:
        table.setdefault(name, []).append((re.compile(path), key))
    return table


_RULES = _rules(_PATHS)

# Links that lead to an article through a search, an aggregator or a counter: where they lead may change or be hidden.
_SEARCH = re.compile(
    r"""news\.google\.[a-z.]+/ | (?:www\.)?google\.[a-z.]+/(?:url|search|news)\b
    | (?:www\.)?bing\.com/(?:news|search|ck)\b | (?:[\w-]+\.)?yandex\.[a-z]+/(?:news|search|clck)
    | news\.yandex\.[a-z]+/ | dzen\.ru/news | (?:[\w.-]+\.)?search\.yahoo\.com/ | duckduckgo\.com/
    | api\.gdeltproject\.org/ | feedproxy\.google\.com/ | feeds\.feedburner\.com/~ | rss\.app/
    | (?:[\w-]+\.)?feedsportal\.com/ | t\.co/ | bit\.ly/ | goo\.gl/ | ow\.ly/ | tinyurl\.com/ | clck\.ru/
    | vk\.cc/ | is\.gd/ | buff\.ly/ | dlvr\.it/""",
    re.X | re.I,
)
# Where a redirecting address names its goal: host and path, parameters.
_WRAPPERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?:www\.)?google\.[a-z.]+/url"), ("q", "url")),
    (re.compile(r"(?:www\.)?bing\.com/news/apiclick\.aspx", re.I), ("url",)),
    (re.compile(r"(?:[lm]\.)?facebook\.com/l\.php"), ("u",)),
    (re.compile(r"(?:[a-z]+\.)?vk\.(?:com|ru)/away\.php"), ("to",)),
    (re.compile(r"(?:www\.)?youtube\.com/redirect"), ("q",)),
    (re.compile(r"duckduckgo\.com/l/"), ("uddg",)),
    (re.compile(r"translate\.google\.[a-z.]+/translate"), ("u",)),
)
_AMP_VIEWER = re.compile(r"(?:www\.)?google\.[a-z.]+/amp/(s/)?(.+)")
_AMP_CACHE = re.compile(r"[\w-]+\.cdn\.ampproject\.org/[a-z]/(s/)?(.+)")
_TRANSLATED = re.compile(r"([a-z0-9-]+)\.translate\.goog")

_DEFAULT_DOCUMENT = re.compile(r"/(?:index\.(?:html?|php\d?|aspx?|jsp|shtml|cgi)|default\.(?:aspx?|html?))$", re.I)
_AMP_SEGMENT = re.compile(r"^/amp(?=/.)|(?<=[^/])/(?:amp|amp\.html)$")
_AMP_SUFFIX = re.compile(r"[._-]amp(?=\.html?$)|\.amp$")
_PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.I)
_UNRESERVED_HEX = re.compile(r"%(2[dD]|2[eE]|5[fF]|7[eE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])")
_HEX = re.compile(r"%[0-9a-fA-F]{2}")
_STRAY_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_SAFE_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_QUERY = _SAFE_PATH + "?[]|"

_INVISIBLE = re.compile("[\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_BROKEN_SCHEME = re.compile(
    r"^(?:feed:)?(?:h?t?tps?|https?)[:;]?/{1,3}(?=[^/])(?:(https?)(?::|%3a)?/{1,2}(?=[^/]))?", re.I
)
_BARE_HOST = re.compile(r"(?:www\.[\w-]+\.)[\w.-]+(?::\d+)?(?:/|$|\?)", re.I)

# Nothing to repair: nearly every link of a feed, and every such one when it is asked for again.
_SOUND = re.compile(r"https?://[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+/[\w/-]{0,500}(?:\.html?)?", re.A)


def without_user(text: str) -> str:
    """A text without the names and passwords of the URLs in it, for logs and messages."""
    return _USER.sub("", text)


@lru_cache(maxsize=2048)  # each item of a list is asked for five times on its way into the ledger
def canonical(url: str) -> str:
    """The key of the page at `url`: scheme, form of the host, port, tracking, AMP, default document, changing slug
    and fragment do not count. Idempotent; what is no http(s) address comes back stripped of white space.
    """
    found = absolute(url, "")
    if found is None:
        return "%20".join(_INVISIBLE.sub(" ", url).split())[:MAX_LENGTH]
    for _ in range(_UNWRAPPINGS):
        goal = _unwrapped(found)
        if goal is None:
            break
        found = goal
    split = urlsplit(found)
    name = _key_host(host(found))
    path, by_number = _key_path(name, split.path)
    query = "" if by_number else _key_query(name, split.query)
    if name == "youtu.be" and len(path) > 1:
        name, path, query = "youtube.com", "/watch", f"v={path[1:]}"
    elif name == "youtube.com" and (film := re.fullmatch(r"/(?:shorts|embed|live|v)/([\w-]+)", path)):
        path, query = "/watch", f"v={film[1]}"
    if path == "/" and not query:
        path = ""
    return f"https://{name}{path}{'?' + query if query else ''}"


def is_sound(url: str) -> bool:
    """Is it an http(s) address with a name, a plain path and no more? False says nothing."""
    return _SOUND.fullmatch(url) is not None


def absolute(href: str, base: str) -> str | None:
    """The http(s) address that a link `href` on the page `base` leads to, ready to be fetched, or None.

    Blanks and line breaks in and around a link, two schemes, one slash, a missing scheme, backslashes, doubled
    ``&amp;``, names in other scripts (they become punycode) and letters outside ASCII are repaired as browsers do, or
    more kindly. javascript:, data:, mailto: and other schemes give None, and so do names that cannot be.
    """
    if not href or len(href) > 4 * MAX_LENGTH:
        return None
    if is_sound(href):
        return href
    text = href if href.isascii() and href.isprintable() and " " not in href else _tidied(href)
    text = text.replace("&amp;", "&").replace("\\", "/") if "&amp;" in text or "\\" in text else text
    whole = _with_scheme(text, base)
    if whole is not None and not whole[:8].lower().startswith(("http://", "https://")):
        whole = _joined(base, whole)
    return _composed(whole) if whole is not None else None


def host(url: str) -> str:
    """``name`` or ``name:port`` of an http(s) address: lower case, punycode, no default port; "" if none."""
    try:
        split = urlsplit(url if "://" in url else f"//{url}")
        name, port = split.hostname, split.port
    except ValueError:
        return ""
    ascii_name = _punycode(name or "")
    if not ascii_name:
        return ""
    if port is None or port == _DEFAULT_PORTS.get(split.scheme):
        return ascii_name
    return f"{ascii_name}:{port}"


@lru_cache(maxsize=4_096)  # every document is compared with every source
def site(url: str) -> str:
    """The host without www., m., amp. and the like: what counts as one site. Other subdomains stay apart."""
    return _key_host(host(url))


def is_search_link(url: str) -> bool:
    """Whether the address belongs to a search, an aggregator, a feed proxy or a link shortener: never an identity."""
    _, _, rest = url.strip().partition("://")
    return bool(_SEARCH.match(rest or url.strip()))


def _tidied(href: str) -> str:
    """White space and invisible characters: gone at the ends, and inside if they break the line or the host."""
    text = href.strip()
    text = re.sub(r"[\t\r\n\x00]\s*", "", text)
    lead = _INVISIBLE.match(text)
    text = text[lead.end() :] if lead else text
    text = re.sub(_INVISIBLE.pattern + r"\Z", "", text)
    text = re.sub("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", "", text)
    text = re.sub(r"^([A-Za-z]+)\s*:\s*/\s*/\s*", r"\1://", text)
    return re.sub(r"[\s\x00-\x1f\x7f-\xa0]", lambda m: "%20" if m[0].isspace() else "", text)


def _with_scheme(text: str, base: str) -> str | None:
    """`text` with a sound http(s) scheme if it has any; unchanged if relative, None if of another scheme."""
    if text[:7].lower() == "feed://":
        text = f"http://{text[7:]}"
    if broken := _BROKEN_SCHEME.match(text):
        scheme = "https" if "s" in (broken[1] or broken[0]).lower() else "http"
        return f"{scheme}://{text[broken.end() :]}"
    if text.startswith("//"):
        scheme = "https" if base[:5].lower() != "http:" else "http"
        return f"{scheme}:{'//' + text.lstrip('/')}"
    if scheme_found := _SCHEME.match(text):
        name = scheme_found[1].lower()
        if "." not in name or text[scheme_found.end() :][:1] == "/":
            return None  # "news.example:8080/x" is a host with a port, "javascript:" is not
        return f"http://{text}"
    if _BARE_HOST.match(text):
        return f"https://{text}"
    first = text.partition("/")[0].lower()
    if first and base and "." in first and first in (host(base), site(base)):
        return f"https://{text}"
    return text


def _joined(base: str, href: str) -> str | None:
    """A relative reference against `base` (RFC 3986, 5.2), for http(s) only."""
    try:
        split = urlsplit(base)
    except ValueError:
        return None
    if split.scheme not in ("http", "https") or not split.netloc:
        return None
    root = f"{split.scheme}://{split.netloc}"
    path = split.path or "/"
    if href.startswith("#"):
        return f"{root}{path}{'?' + split.query if split.query else ''}{href}"
    if href.startswith("?"):
        return f"{root}{path}{href}"
    if href.startswith("/"):
        return f"{root}{href}"
    return f"{root}{path.rpartition('/')[0]}/{href}"


def _composed(text: str) -> str | None:
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        return None
    name = _punycode(unquote(split.hostname or ""))
    if not name or (port is not None and not 0 < port < 65536):
        return None
    netloc = name if port is None or port == _DEFAULT_PORTS[split.scheme] else f"{name}:{port}"
    path = _encoded(_without_dots(split.path), _SAFE_PATH) or "/"
    query = f"?{_encoded(split.query, _SAFE_QUERY)}" if split.query else ""
    fragment = f"#{_encoded(split.fragment, _SAFE_QUERY)}" if split.fragment else ""
    whole = f"{split.scheme}://{netloc}{path}{query}{fragment}"
    return whole if len(whole) <= MAX_LENGTH else None


def _encoded(text: str, safe: str) -> str:
    if "%" in text:
        text = _STRAY_PERCENT.sub("%25", text)
    return quote(text, safe=safe, errors="replace")


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            if len(kept) > 1:
                kept.pop()
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept) if kept[0] == "" else "/" + "/".join(kept)


@lru_cache(maxsize=2_048)
def _punycode(name: str) -> str:
    """A host name in its ASCII form, or "" if it cannot be one."""
    name = name.strip().rstrip(".").lower()
    if not name or len(name) > 253:
        return ""
    if ":" in name:
        try:
            return f"[{ip_address(name)}]"
        except ValueError:
            return ""
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
    if not _HOST.fullmatch(name) or ("." not in name and name != "localhost"):
        return ""
    return name


@lru_cache(maxsize=2_048)
def _key_host(name: str) -> str:
    bare, colon, port = name.partition(":") if not name.startswith("[") else (name, "", "")
    labels = bare.split(".")
    while len(labels) > 2 and labels[0] in _FORM_LABELS:
        labels = labels[1:]
    bare = ".".join(labels)
    if bare in _ALIASES:
        bare = _ALIASES[bare]
    return f"{bare}{colon}{port}"


def _key_path(name: str, path: str) -> tuple[str, bool]:
    """The path that counts, and whether a rule of the site took it: then a number names the page, no query."""
    path = _PATH_SESSION.sub("", path) if ";" in path else path
    if "%" in path:
        path = _UNRESERVED_HEX.sub(lambda m: chr(int(m[1], 16)), path)
        path = _HEX.sub(lambda m: m[0].upper(), path)
    before = ""
    while before != path:  # one form may hide another: /amp/story/index.html/
        before = path
        path = re.sub(r"/{2,}", "/", path) if "//" in path else path
        path = _without_dots(path)
        path = _DEFAULT_DOCUMENT.sub("/", path)
        path = path.rstrip("/") or "/"
        key = _site_key(name, path)
        if key is not None:
            return key, True
        path = _AMP_SEGMENT.sub("", path)
        path = _AMP_SUFFIX.sub("", path)
    return path, False


def _site_key(name: str, path: str) -> str | None:
    domain = name.partition(":")[0]
    while domain:
        for pattern, key in _RULES.get(domain, ()):
            if match := pattern.fullmatch(path):
                return match.expand(key)
        domain = domain.partition(".")[2]
    return None


def _key_query(name: str, query: str) -> str:
    """The parameters that select the page, in order of their names (equal names keep theirs)."""
    if not query:
        return ""
    own = _HOST_TRACKING.get(name)
    kept = []
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not key or _TRACKING.fullmatch(key) or (own and own.fullmatch(key)):
            continue
        if equals and _CHANNEL.fullmatch(key) and _CHANNEL_VALUE.fullmatch(value):
            continue
        if "%" in part:
            part = _UNRESERVED_HEX.sub(lambda m: chr(int(m[1], 16)), part)
            part = _HEX.sub(lambda m: m[0].upper(), part)
        kept.append(part)
    return "&".join(sorted(kept, key=lambda part: part.partition("=")[0]))


def _unwrapped(url: str) -> str | None:
    """The address inside a redirect, an AMP cache or a translation, if `url` is one."""
    rest = url.partition("://")[2]
    name, _, path = rest.partition("/")
    if match := _AMP_VIEWER.fullmatch(rest) or _AMP_CACHE.fullmatch(rest):
        return absolute(f"{'https' if match[1] else 'http'}://{match[2]}", "")
    if match := _TRANSLATED.fullmatch(name):
        original = match[1].replace("--", "\0").replace("-", ".").replace("\0", "-")
        return absolute(f"https://{original}/{path}", "")
    for pattern, keys in _WRAPPERS:
        if pattern.match(rest):
            try:
                parameters = parse_qs(urlsplit(url).query, max_num_fields=100)
            except ValueError:
                return None
            for key in keys:
                for value in parameters.get(key, ()):
                    goal = absolute(value, "") if value[:4].lower() == "http" else None
                    if goal is not None:
                        return goal
    return None
