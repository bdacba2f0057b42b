"""Joining: near-copies (fingerprint), one event over languages (stories), what is an edit (edits). Pure."""

from crawler.cluster.edits import is_trivial_edit, text_diff
from crawler.cluster.fingerprint import Candidate, Overlap, compare, containment, copy_of, fingerprint
from crawler.cluster.stories import (
    WINDOW,
    Placement,
    Profile,
    Verdict,
    disagreements,
    keys,
    place,
    profile,
    same_event,
)

__all__ = [
    "WINDOW",
    "Candidate",
    "Overlap",
    "Placement",
    "Profile",
    "Verdict",
    "compare",
    "containment",
    "copy_of",
    "disagreements",
    "fingerprint",
    "is_trivial_edit",
    "keys",
    "place",
    "profile",
    "same_event",
    "text_diff",
]
