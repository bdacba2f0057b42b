"""The tree of errors. An exception is for a person; what a visit came to is a value (`store.records.Outcome`).

::

    PakrusError                 exit 1   (store/errors.py)
      StoreError ...            exit 4   (store/errors.py)
      UsageError                exit 2   a wrong argument, a missing file
        ConfigError                      feeds.yaml: all mistakes at once, each with file:line
        LexiconError                     a lexicon slice: contradiction or mistake, with both places
      Unreachable               exit 3   nothing could be reached
"""

from collections.abc import Sequence

from store.errors import NotStored, PakrusError, StoreError

__all__ = ["ConfigError", "LexiconError", "NotStored", "PakrusError", "StoreError", "Unreachable", "UsageError"]


class UsageError(PakrusError):
    exit_code = 2


class ConfigError(UsageError):
    """feeds.yaml is wrong. `mistakes` holds one line each: ``file:line: key: what is wrong, what to write``."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class LexiconError(UsageError):
    """A lexicon slice is wrong. `mistakes` as in ConfigError."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class Unreachable(PakrusError):
    exit_code = 3
