"""The root of all errors that a person may see, and the store's own branch.

The root lives here and not in crawler/errors.py because `store` never imports `crawler`::

    PakrusError                 exit 1
      StoreError                exit 4   the database cannot be used
        StoreBusy                        another process holds the writer lock
        StoreCorrupt                     not a database, or a damaged one
        StoreTooNew                      made by a newer version
        StoreUnwritable                  read-only, disk full, no such directory
      NotStored                 exit 1   a record was asked for that is not there

crawler/errors.py grows the other branches.
"""


class PakrusError(Exception):
    """An error with a sentence for a person. `exit_code` is what the program ends with."""

    exit_code = 1


class StoreError(PakrusError):
    exit_code = 4


class StoreBusy(StoreError):
    pass


class StoreCorrupt(StoreError):
    pass


class StoreTooNew(StoreError):
    pass


class StoreUnwritable(StoreError):
    pass


class NotStored(PakrusError):
    pass
