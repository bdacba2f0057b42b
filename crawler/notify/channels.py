"""One message to one channel. The only home of Apprise, which is loaded when something is sent (extra `notify`).

A channel is a line of `digest.send`: a URL whose secrets are names of the environment, ``${NAME}``. They are filled in
here, right before sending, and taken out of every word that Apprise says, so that no log and no row ever holds one.
"""

import hashlib
import logging
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from crawler.config import VARIABLE
from crawler.errors import UsageError

MAIL = ("mailto", "mailtos")
MOST_WORDS = 300  # characters of what a channel says of a failure
MOST_SUBJECT = 200
_PRIVATE = re.compile(r"[^\s/'\"<>@]+@[^\s/'\"<>]+|\b[a-z][a-z0-9+.-]*://\S+|\b\d{6,}:\S+|(?<=url: )\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`html` is for mail, whose text part is made of it; `text` for every other channel, cut to what it takes."""

    subject: str
    text: str
    html: str = ""


class NotSent(Exception):
    """A channel did not take a message; the words are fit for a log."""


def require() -> None:
    """Raises UsageError where the extra is not installed."""
    if find_spec("apprise") is None:
        raise UsageError("sending needs Apprise, which is not installed: pip install 'pakrus[notify]'")


def identity(channel: str) -> str:
    """What a channel is known by in the database: nothing can be read from it."""
    return hashlib.sha256(channel.encode()).hexdigest()[:16]


def label(channel: str, channels: tuple[str, ...]) -> str:
    """What a person knows a channel by: its place in feeds.yaml and its scheme, never its address."""
    scheme = channel.partition(":")[0].lower() if "://" in channel else channel
    return f"digest.send[{channels.index(channel) + 1}] ({scheme})"


def send(channel: str, message: Message, environment: Mapping[str, str]) -> None:
    """Sends once. Raises NotSent, with words that hold no address and no secret."""
    url, secrets = _filled(channel, environment)
    try:
        apprise = _apprise()
    except UsageError as error:
        raise NotSent(str(error)) from None
    said = _Said()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    try:
        target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if target is None:
            raise NotSent("the URL is none that Apprise understands")
        if len(target) != 1:
            raise NotSent(f"the URL has {len(target)} recipients; write a URL for each, so that none gets it twice")
        if url.partition(":")[0].lower() in MAIL and message.html:
            body, form = message.html, apprise.NotifyFormat.HTML
        else:
            body, form = cut(message.text, int(target.body_maxlen)), apprise.NotifyFormat.TEXT
        hub = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
        hub.add(target)
        done = hub.notify(title=cut(message.subject, MOST_SUBJECT), body=body, body_format=form)
    except NotSent:
        raise
    except Exception as error:  # noqa: BLE001 - a mistake in one of a hundred plug-ins is a channel that failed
        raise NotSent(_masked(f"{type(error).__name__}: {error}", secrets)) from None
    finally:
        logger.removeHandler(said)
    if not done:
        raise NotSent(_masked(said.words(), secrets))


def cut(text: str, most: int) -> str:
    """Whole lines as far as they fit, else as much of the first as does."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head[: head.rfind("\n")] if "\n" in head else head) + "…"


def _filled(channel: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The URL with its variables, and their values. A value is one part of the URL; a channel that is nothing but a
    variable is a whole URL."""
    names = VARIABLE.findall(channel)
    missing = [n for n in names if not environment.get(n)]
    if missing:
        raise NotSent(f"the environment has no {', '.join(missing)}")
    values = [environment[n] for n in names]
    # Whatever is said of them may quote them in its own way: each word of a value is a secret.
    secrets = [*values, *(quote(v, safe="") for v in values), *(w for v in values for w in re.findall(r"\w{4,}", v))]
    if VARIABLE.fullmatch(channel):
        return values[0], secrets
    return VARIABLE.sub(lambda m: quote(environment[m[1]], safe=""), channel), secrets


def _masked(words: str, secrets: list[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        words = words.replace(secret, "***")
    words = " ".join(_PRIVATE.sub("***", words).split())
    return words[:MOST_WORDS] or "the channel did not say why"


class _Said(logging.Handler):
    """What Apprise had to say of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        reason = re.match(r"(?:Socket|Email|Connection)\w* Exception: ", record.getMessage())
        if record.levelno >= logging.WARNING or reason:
            self._lines.append(record.getMessage())

    def words(self) -> str:
        return "; ".join(dict.fromkeys(self._lines))


def schemes() -> str:
    """The list that feeds.yaml is checked against, of the Apprise that is installed: `crawler/notify/schemes.txt`."""
    _apprise()
    from apprise.manager_plugins import NotificationManager

    manager: Any = NotificationManager()  # type: ignore[no-untyped-call]
    lines = []
    for scheme in sorted(manager.schemas()):
        plugin = manager[scheme]
        private = [k for k, v in plugin.template_tokens.items() if v.get("private") and k != "password"]
        secret = all(any(f"{{{key}}}" in template for key in private) for template in plugin.templates)
        lines.append(f"{scheme} secret\n" if secret else f"{scheme}\n")
    return "".join(lines)


def _apprise() -> Any:
    require()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it still looks for modules that Python is to lose
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # loads every plug-in, with the warnings of each
    logger = logging.getLogger("apprise")
    logger.propagate = False  # its lines name addresses: they end in `_Said`
    logger.setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it names whole URLs, too
    return apprise
