"""feeds.yaml -> Config. Every mistake at once, each ``file:line: key: what is wrong, what to write instead``.

Pure but for `read_config`, which opens the file. The YAML is composed to nodes and read by the tables below, so that
each value knows its line, `no` stays the country Norway, and nothing is ever constructed that a table does not name.
"""

import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from functools import cache
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import yaml

from crawler import urls
from crawler.errors import ConfigError, LexiconError, UsageError
from crawler.terminal import plain

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml: the same language, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

T = TypeVar("T")
Network = IPv4Network | IPv6Network

# What feeds.yaml and the command line know by name. A kind is a module of crawler/readers (a spider is one of
# crawler/spiders/sites), a format one of crawler/digest/formats.
KINDS = ("feed", "sitemap", "listing")
FORMATS = ("md", "html", "json", "atom")
LANGUAGES = ("en", "ru", "ur")  # that the digest can be written in: the files of crawler/digest/languages

MAX_CONFIG_BYTES = 4_000_000  # 5,000 sources take 1.5 MB
DAY_S = 86_400
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # a value that comes from the environment
_SECRETS = re.compile(r"(?i)(?:^|[?&;])(pass(?:wd|word)?|pwd|(?:api|access|auth)?_?(?:key|token)|secret|auth)=([^&;]+)")

# Ports that browsers refuse to open (WHATWG fetch, "bad port"): a feed there is a trap for a protocol that is not HTTP.
BAD_PORTS = frozenset(
    int(port)
    for port in (
        "1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123"
        " 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990"
        " 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080"
    ).split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestConfig:
    at: time = time(7, 0)
    language: str = "en"  # the reader's
    formats: tuple[str, ...] = ("md", "html")
    directory: Path = Path("var/digests")
    send: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """What somebody wants to hear of at once: all that is given must hold, of a list one."""

    name: str
    sectors: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # identities of the lexicon
    query: str | None = None  # a search of `pakrus search`
    spike: float | None = None  # a sector's stories of a day, as a multiple of the mean of its past fourteen


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlConfig:
    user_agent: str = "pakrus/0.1"
    contact: str = "https://example.org/bot"
    concurrency: int = 16
    per_host_delay_s: float = 1.0
    per_host_concurrency: int = 2
    timeout_s: float = 30.0
    max_body: int = 10_000_000
    obey_robots: bool = True
    allow_private_addresses: tuple[Network, ...] = ()
    resolve: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    proxy: str | None = None
    ca_file: Path | None = None

    @property
    def agent(self) -> str:
        """The User-Agent header: who we are and where to complain."""
        return f"{self.user_agent} (+{self.contact})"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepConfig:
    """Seconds for which a class of rows is kept."""

    rejected_text_s: float = 30.0 * DAY_S
    requests_s: float = 14.0 * DAY_S
    rejected_entries_s: float = 365.0 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    listen: tuple[str, int] | None = None  # a loopback address and port; None: nothing listens


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    id: str
    name: str
    url: str
    kind: str
    country: str = ""  # ISO 3166 alpha-2; "" = none
    language: str = ""
    every_s: float = 3600.0
    zone: ZoneInfo | None = None  # None: the config's zone is not assumed; dates without a zone are UTC
    fetch_pages: str = "candidates"
    role: str = "source"
    enabled: bool = True
    selector: str | None = None
    body_selector: str | None = None
    title_selector: str | None = None
    archive: str | None = None
    spider: str | None = None
    proxy: str | None = None
    ca_file: Path | None = None
    delay_s: float | None = None
    user_agent: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A valid feeds.yaml. `base` is the folder that relative paths in it start from."""

    topic: str = "pakistan-russia"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Karachi"))
    database: Path = Path("var/news.db")
    digest: DigestConfig = field(default_factory=DigestConfig)
    crawl: CrawlConfig = field(default_factory=CrawlConfig)
    keep: KeepConfig = field(default_factory=KeepConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    alerts: tuple[AlertRule, ...] = ()
    sources: tuple[SourceConfig, ...] = ()
    path: Path = Path("feeds.yaml")
    base: Path = Path()
    sha256: str = ""

    def source(self, id_: str) -> SourceConfig:
        for source in self.sources:
            if source.id == id_:
                return source
        near = difflib.get_close_matches(id_, [s.id for s in self.sources], n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; `pakrus sources list` names them all"
        raise UsageError(f"{self.path}: there is no source {id_!r}{hint}")

    @property
    def enabled(self) -> tuple[SourceConfig, ...]:
        return tuple(s for s in self.sources if s.enabled)

    @property
    def feed_only(self) -> frozenset[str]:
        """Sources whose pages nobody fetches; those that are switched off among them."""
        return frozenset(s.id for s in self.sources if s.fetch_pages == "never" or not s.enabled)

    @property
    def database_path(self) -> Path:
        return self.base / self.database

    @property
    def digest_directory(self) -> Path:
        return self.base / self.digest.directory


def packaged_config() -> Path:
    """The feeds.yaml that comes with the program: beside the packages in a checkout, inside `crawler` in a wheel."""
    inside = Path(__file__).parent / "feeds.yaml"
    return inside if inside.is_file() else Path(__file__).parent.parent / "feeds.yaml"


def find_config(given: Path | None) -> tuple[Path, Path]:
    """(the file to read, the folder that its relative paths start from): --config, ./feeds.yaml, the packaged one."""
    if given is not None:
        return given, given.parent
    local = Path("feeds.yaml")
    if local.is_file():
        return local, Path()
    return packaged_config(), Path()


def read_config(path: Path, base: Path) -> Config:
    """Reads and checks feeds.yaml. Raises ConfigError with every mistake, UsageError where there is no such file."""
    return parse_config(decoded(read_bytes(path), path), path=path, base=base)


def read_bytes(path: Path) -> bytes:
    """The bytes of a feeds.yaml. Raises ConfigError if it is too large, UsageError if it cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file; `pakrus init` writes one") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError([f"{path}:1: file: larger than {MAX_CONFIG_BYTES} bytes, split off what is not needed"])
    return raw


def decoded(raw: bytes, path: Path) -> str:
    """The text of a feeds.yaml, without a byte order mark. Raises ConfigError."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError([f"{path}:{line}: file: is not UTF-8, save it as UTF-8"]) from None


def parse_config(text: str, *, path: Path = Path("feeds.yaml"), base: Path = Path()) -> Config:
    """Checks the text of a feeds.yaml. Raises ConfigError with every mistake found."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([f"{path}:{line}: yaml: {error.problem or error.context}, mend the syntax"]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError([f"{path}:1: yaml: {str(error).splitlines()[0]}, mend the syntax"]) from None
    if node is None:
        raise ConfigError([f"{path}:1: sources: is missing, write `sources: []`"])
    check = _Check(str(path))
    values = check.mapping(node, "", _TOP)
    sources = values.pop("sources", ())
    _check_sources(check, sources)
    alerts = values.pop("alerts", [])
    _check_alerts(check, alerts, values.get("topic", "pakistan-russia"))
    if alerts and not values.get("digest", {}).get("send"):
        check.mistakes.append(
            (
                alerts[0]["line"],
                f"{path}:{alerts[0]['line']}: alerts: nobody would be told, write a channel under digest.send",
            )
        )
    if check.mistakes:
        raise ConfigError([plain(m) for _, m in sorted(check.mistakes)])
    digest = DigestConfig(**values.pop("digest", {}))
    crawl = CrawlConfig(**values.pop("crawl", {}))
    keep = KeepConfig(**values.pop("keep", {}))
    metrics = MetricsConfig(**values.pop("metrics", {}))
    return Config(
        **values,
        digest=digest,
        crawl=crawl,
        keep=keep,
        metrics=metrics,
        alerts=tuple(_rule(a) for a in alerts),
        sources=tuple(_source(s) for s in sources),
        path=path,
        base=base,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def parse_source(values: Mapping[str, str]) -> SourceConfig:
    """One source from the values that feeds.yaml would have. Raises ConfigError, its places named ``entry``."""
    return parse_config(yaml.safe_dump({"sources": [dict(values)]}, allow_unicode=True), path=Path("entry")).sources[0]


def _source(values: dict[str, Any]) -> SourceConfig:
    """Fills in what a line of feeds.yaml leaves out."""
    fetch = "all" if values.get("country") in ("PK", "RU") else "candidates"
    if values.get("role") == "witness":
        fetch = "never"  # search feeds are witnesses, never articles
    return SourceConfig(**{"name": values["id"], "fetch_pages": fetch, **values})


# --- the checker ------------------------------------------------------------------------------------------------


class _Check:
    """Collects mistakes with their lines while values are read from nodes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes: list[tuple[int, str]] = []

    def wrong(self, node: yaml.Node | None, key: str, what: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append((line, f"{self.name}:{line}: {key}: {what}"))

    def mapping(self, node: yaml.Node, key: str, table: "Table") -> dict[str, Any]:
        """Reads a mapping by its table; unknown, doubled and missing keys are mistakes."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, key or "file", "must be a mapping, write `key: value` lines")
            return {}
        out: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            name = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            full = f"{key}.{name}" if key else name
            if name in seen:
                self.wrong(key_node, full, f"is already given at line {seen[name]}, keep one")
                continue
            seen[name] = key_node.start_mark.line + 1
            item = table.get(name)
            if item is None:
                near = difflib.get_close_matches(name, table, n=1)
                remedy = f"did you mean `{near[0]}`?" if near else f"allowed are {', '.join(table)}"
                self.wrong(key_node, full, f"unknown key, {remedy}")
                continue
            try:
                out[item.to or name] = item.read(self, value_node, full)
            except _Mistake as mistake:
                self.wrong(value_node, full, str(mistake))
        for name, item in table.items():
            if item.required and name not in seen:
                self.wrong(node, f"{key}.{name}" if key else name, f"is missing, write `{name}: {item.example}`")
        return out


class _Mistake(Exception):
    """A value that does not read; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """How one key is read. `to` is the field's name where it differs from the key."""

    read: Callable[[_Check, yaml.Node, str], T]
    to: str = ""
    required: bool = False
    example: str = ""


Table = Mapping[str, Item[Any]]


def _scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Mistake("must be a single value")
    return str(node.value).strip()


def _of(read: Callable[[str], T]) -> Callable[[_Check, yaml.Node, str], T]:
    """A reader of nodes from a reader of text."""
    return lambda _check, node, _key: read(_scalar(node))


def _or_none(read: Callable[[str], T]) -> Callable[[_Check, yaml.Node, str], T | None]:
    def reader(_check: _Check, node: yaml.Node, _key: str) -> T | None:
        text = _scalar(node)
        return None if node.tag == "tag:yaml.org,2002:null" or text == "" else read(text)

    return reader


def _list(read: Callable[[str], T]) -> Callable[[_Check, yaml.Node, str], tuple[T, ...]]:
    def reader(check: _Check, node: yaml.Node, key: str) -> tuple[T, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise _Mistake("must be a list, write [a, b] or [] for none")
        out = []
        for child in node.value:
            try:
                out.append(read(_scalar(child)))
            except _Mistake as mistake:
                check.wrong(child, key, str(mistake))
        return tuple(out)

    return reader


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise _Mistake(f"{text!r} is not known, write one of {', '.join(allowed)}")
        return text

    return read


def _text(text: str) -> str:
    if not text or any(ord(c) < 32 for c in text):
        raise _Mistake("must be a text without line breaks")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{1,200}", text):
        raise _Mistake(f"{text!r} must be 1 to 200 plain ASCII characters")
    return text


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise _Mistake(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise _Mistake(f"{text!r} is neither true nor false")
    return text.lower() == "true"


_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": DAY_S}
_UNIT_B = {"kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def duration(text: str) -> float:
    """Seconds from a number and s, m, h or d: ``1s``, ``0.5s``, ``15m``, ``30d``."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", text)
    if not match:
        raise _Mistake(f"{text!r} is no duration, write a number and s, m, h or d, like 15m")
    return float(match[1]) * _UNIT_S[match[2]]


def _positive(text: str) -> float:
    seconds = duration(text)
    if seconds <= 0:
        raise _Mistake(f"{text!r} must be more than nothing, like 15m")
    return seconds


def size(text: str) -> int:
    """Bytes from a number and kB, MB or GB (powers of ten)."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(kB|MB|GB)", text)
    if not match or float(match[1]) <= 0:
        raise _Mistake(f"{text!r} is no size, write a number and kB, MB or GB, like 10MB")
    return int(float(match[1]) * _UNIT_B[match[2]])


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(text, available_timezones(), n=1)
    raise _Mistake(f"{text!r} is no time zone, write {near[0] if near else 'a name like Asia/Karachi'}")


def zone_or_none(text: str) -> ZoneInfo | None:
    """The zone of a name, or None where there is none."""
    try:
        return _zone(text)
    except _Mistake:
        return None


def _time_of_day(text: str) -> time:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if not match:
        raise _Mistake(f'{text!r} is no time of day, write it in quotes like "07:00"')
    return time(int(match[1]), int(match[2]))


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise _Mistake(f"{text!r} is no CIDR ({error}), write one like 127.0.0.0/8") from None


def http_url(text: str) -> str:
    """An absolute http(s) URL without user data, with a host and a port that a browser would open."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _Mistake(f"{urls.without_user(text)!r} is no URL ({error})") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in text or not text.isprintable():
        raise _Mistake(f"{urls.without_user(text)!r} is no URL, write one that begins with http:// or https://")
    if parts.username or parts.password:
        raise _Mistake("a URL with a user name or password is refused, write it without them")
    if port is not None and (port in BAD_PORTS or port == 0):
        raise _Mistake(f"port {port} is refused (browsers refuse it too)")
    return text


def proxy_url(text: str) -> str:
    """As `http_url`, but a proxy may want a user and a password; they go to the proxy and into no log."""
    http_url(urls.without_user(text))
    return text


def http_url_or_none(text: str) -> str | None:
    """The URL, or None where `http_url` would refuse it."""
    try:
        return http_url(text)
    except _Mistake:
        return None


def _contact(text: str) -> str:
    if re.fullmatch(r"mailto:[^@\s()]+@[^@\s()]+", text):
        return text
    return _header(http_url(text))


def _id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", text):
        raise _Mistake(f"{text!r} is no id, write lower-case letters, digits and hyphens, like dawn-world")
    return text


def _country(text: str) -> str:
    if text == "none":
        return ""
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise _Mistake(f"{text!r} is no ISO 3166 country, write two capitals like PK, or none")
    return text


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise _Mistake(f"{text!r} is no language, write its ISO 639 code like en, ru or ur")
    return text


def _resolve(check: _Check, node: yaml.Node, key: str) -> dict[str, tuple[str, int]]:
    if not isinstance(node, yaml.MappingNode):
        raise _Mistake("must be a mapping of host: address:port, or {}")
    out = {}
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            check.wrong(value, key, "must be single values, like host: 127.0.0.1:8080")
            continue
        match = re.fullmatch(r"\[?([0-9a-fA-F:.]+)\]?:(\d{1,5})", str(value.value))
        try:
            address = str(ip_address(match[1])) if match else ""
        except ValueError:
            address = ""
        if not match or not address or not 0 < int(match[2]) < 65_536:
            check.wrong(value, f"{key}.{name.value}", f"{value.value!r} is no address:port, like 127.0.0.1:8080")
            continue
        # In the form in which a URL's host is looked up, whatever the file writes: пример.test, Dawn.test.
        out[urls.host(f"http://{name.value}/") or name.value.lower()] = (address, int(match[2]))
    return out


def _section(table: Table) -> Callable[[_Check, yaml.Node, str], dict[str, Any]]:
    return lambda check, node, key: check.mapping(node, key, table)


def _loopback(text: str) -> tuple[str, int]:
    """Address and port that this machine alone can reach: whoever reads the metrics needs no password."""
    host, _, port = text.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        number = _number(1, 65535)(port)
    except (ValueError, _Mistake):
        raise _Mistake(f"{text!r} is no address:port, write one like 127.0.0.1:9464") from None
    if not address.is_loopback:
        raise _Mistake(f"{text!r} can be reached from other machines, write a loopback address like 127.0.0.1:{number}")
    return str(address), number


def _sources(check: _Check, node: yaml.Node, _key: str) -> list[dict[str, Any]]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Mistake("must be a list, write `- id: ...` lines")
    out = []
    for child in node.value:
        named = (
            next((v.value for k, v in child.value if k.value == "id" and isinstance(v, yaml.ScalarNode)), "?")
            if isinstance(child, yaml.MappingNode)
            else "?"
        )
        values = check.mapping(child, f"sources[{named}]", _SOURCE)
        values["line"] = child.start_mark.line + 1
        out.append(values)
    return out


@cache
def _schemes() -> dict[str, bool]:
    """Every scheme that Apprise knows -> whether its URLs hold a secret beside a password. A test compares the list."""
    lines = resources.files("crawler").joinpath("notify/schemes.txt").read_text("utf-8").split("\n")
    return {line.partition(" ")[0]: line.endswith(" secret") for line in lines if line}


def _channel(text: str) -> str:
    """A URL that Apprise understands, without a secret: those are names of the environment."""
    if VARIABLE.fullmatch(_text(text)):
        return text  # the whole URL comes from there
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or " " in text:
        raise _Mistake("must be a URL like mailto://${MAIL_USER}:${MAIL_PASSWORD}@mail.example.org?to=desk@example.org")
    if scheme.lower() not in _schemes():
        near = difflib.get_close_matches(scheme.lower(), _schemes(), n=1)
        raise _Mistake(f"Apprise knows no scheme {scheme!r}, {f'did you mean {near[0]}?' if near else 'see its list'}")
    if "$" in VARIABLE.sub("", text):
        raise _Mistake("a value of the environment is written ${NAME}")
    user, _, _ = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")
    secrets = [user.partition(":")[2], *(m[2] for m in _SECRETS.finditer(rest))]
    if any(VARIABLE.sub("", secret) for secret in secrets):
        raise _Mistake("holds a password, write ${NAME} in its place and set NAME in the environment")
    if _schemes()[scheme.lower()] and not VARIABLE.search(rest):
        raise _Mistake(f"the token of {scheme.lower()} is a secret, write ${{NAME}} in its place and set NAME in the"
                       " environment")  # fmt: skip
    return text


def _search(text: str) -> str:
    from crawler.shadow import query  # only an alert needs it, and every verb reads the file

    try:
        query(_text(text))
    except UsageError as error:
        raise _Mistake(str(error).removeprefix("search: ")) from None
    return text


def _factor(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text) or float(text) <= 1:
        raise _Mistake(f"{text!r} is no multiple over 1, write one like 3")
    return float(text)


def _lined(check: _Check, node: yaml.Node, key: str) -> tuple[tuple[str, int], ...]:
    """A list of ids, each with its line: what they must be one of is only known when the whole file is read."""
    found = _list(_id)(check, node, key)
    lines = [child.start_mark.line + 1 for child in node.value]
    return tuple(zip(found, lines, strict=False))


def _alerts(check: _Check, node: yaml.Node, _key: str) -> list[dict[str, Any]]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Mistake("must be a list, write `- name: ...` lines")
    rules = []
    for number, child in enumerate(node.value, 1):
        values = check.mapping(child, f"alerts[{number}]", _ALERT)
        given = {k.value for k, _ in child.value} if isinstance(child, yaml.MappingNode) else set()
        rules.append({**values, "line": child.start_mark.line + 1, "given": given})
    return rules


def _rule(values: dict[str, Any]) -> AlertRule:
    named = {key: tuple(name for name, _ in values.get(key, ())) for key in ("sectors", "names")}
    return AlertRule(name=values["name"], query=values.get("query"), spike=values.get("spike"), **named)


def _check_alerts(check: _Check, rules: Sequence[dict[str, Any]], topic: str) -> None:
    """What can only be seen over several keys or rules, and with the lexicon at hand."""
    if not rules:
        return
    from crawler.lexicon import load  # most files have no alerts, and every verb reads the file

    try:
        lexicon = load(topic)
        known = {"sectors": tuple(lexicon.sectors), "names": tuple(t.name for t in lexicon.things)}
    except (LexiconError, UsageError):
        known = {}  # who opens the database says so
    seen: dict[str, int] = {}
    for number, rule in enumerate(rules, 1):

        def wrong(line: int, key: str, what: str, number: int = number) -> None:
            check.mistakes.append((line, f"{check.name}:{line}: alerts[{number}]{key}: {what}"))

        name, line = rule.get("name"), rule["line"]
        if name in seen:
            wrong(line, ".name", f"{name!r} is already given at line {seen[name]}, names are unique")
        elif name:
            seen[name] = line
        if not rule.get("sectors") and not rule.get("names") and not rule["given"] & {"query", "spike"}:
            wrong(line, "", "waits for nothing, write sectors, names, query or spike")
        if rule.get("spike") and (rule.get("names") or rule.get("query")):
            wrong(line, ".spike", "counts the stories of sectors, write it with sectors or alone")
        for key, allowed in known.items():
            for word, at in rule.get(key, ()):
                if word not in allowed:
                    near = difflib.get_close_matches(word, allowed, n=1)
                    remedy = f"did you mean {near[0]}?" if near else "`pakrus explain` of an article shows its own"
                    wrong(at, f".{key}", f"{word!r} is not in the lexicon, {remedy}")


def _check_sources(check: _Check, sources: Iterable[dict[str, Any]]) -> None:
    """What can only be seen over several keys or several sources."""
    seen: dict[str, int] = {}
    for source in sources:
        line, id_ = source["line"], source.get("id")

        def wrong(key: str, what: str, line: int = line, id_: str | None = id_) -> None:
            check.mistakes.append((line, f"{check.name}:{line}: sources[{id_ or '?'}].{key}: {what}"))

        if id_ in seen:
            wrong("id", f"{id_!r} is already given at line {seen[id_]}, ids are permanent and unique")
        elif id_:
            seen[id_] = line
        if source.get("kind") == "spider" and not source.get("spider"):
            wrong("spider", "is missing, name a declaration of crawler/spiders/sites")
        if source.get("kind") != "spider" and source.get("spider"):
            wrong("spider", "only goes with kind: spider")
        if source.get("role") == "witness" and source.get("fetch_pages", "never") != "never":
            wrong("fetch_pages", "a witness is never fetched, write never or leave it out")


_DIGEST: Table = {
    "at": Item(_of(_time_of_day)),
    "language": Item(_of(_choice(*LANGUAGES))),
    "formats": Item(_list(_choice(*FORMATS))),
    "directory": Item(_of(lambda text: Path(_text(text)))),
    "send": Item(_list(_channel)),
}
_CRAWL: Table = {
    "user_agent": Item(_of(_header)),
    "contact": Item(_of(_contact)),
    "concurrency": Item(_of(_number(1, 256))),
    "per_host_delay": Item(_of(duration), to="per_host_delay_s"),
    "per_host_concurrency": Item(_of(_number(1, 32))),
    "timeout": Item(_of(_positive), to="timeout_s"),
    "max_body": Item(_of(size)),
    "obey_robots": Item(_of(_bool)),
    "allow_private_addresses": Item(_list(_network)),
    "resolve": Item(_resolve),
    "proxy": Item(_or_none(proxy_url)),
    "ca_file": Item(_or_none(lambda text: Path(_text(text)))),
}
_KEEP: Table = {
    "rejected_text": Item(_of(_positive), to="rejected_text_s"),
    "requests": Item(_of(_positive), to="requests_s"),
    "rejected_entries": Item(_of(_positive), to="rejected_entries_s"),
}
_METRICS: Table = {"listen": Item(_or_none(_loopback))}
_SOURCE: Table = {
    "id": Item(_of(_id), required=True, example="dawn-world"),
    "name": Item(_of(_text)),
    "url": Item(_of(http_url), required=True, example="https://www.dawn.com/feeds/world"),
    "kind": Item(_of(_choice(*KINDS, "spider")), required=True, example="feed"),
    "country": Item(_of(_country)),
    "language": Item(_of(_language)),
    "every": Item(_of(_positive), to="every_s"),
    "timezone": Item(_of(_zone), to="zone"),
    "fetch_pages": Item(_of(_choice("all", "candidates", "never"))),
    "role": Item(_of(_choice("source", "witness"))),
    "enabled": Item(_of(_bool)),
    "selector": Item(_or_none(_text)),
    "body_selector": Item(_or_none(_text)),
    "title_selector": Item(_or_none(_text)),
    "archive": Item(_or_none(http_url)),
    "spider": Item(_or_none(_id)),
    "proxy": Item(_or_none(proxy_url)),
    "ca_file": Item(_or_none(lambda text: Path(_text(text)))),
    "delay": Item(_of(duration), to="delay_s"),
    "user_agent": Item(_or_none(_header)),
}
_ALERT: Table = {
    "name": Item(_of(_id), required=True, example="gazprom"),
    "sectors": Item(_lined),
    "names": Item(_lined),
    "query": Item(_or_none(_search)),
    "spike": Item(_of(_factor)),
}
_TOP: Table = {
    "topic": Item(_of(_id)),
    "timezone": Item(_of(_zone)),
    "database": Item(_of(lambda text: Path(_text(text)))),
    "digest": Item(_section(_DIGEST)),
    "crawl": Item(_section(_CRAWL)),
    "keep": Item(_section(_KEEP)),
    "metrics": Item(_section(_METRICS)),
    "alerts": Item(_alerts),
    "sources": Item(_sources, required=True, example="[]"),
}
