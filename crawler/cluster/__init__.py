"""Joining: near-copies (fingerprint, overlap), one event over languages (stories), where sources disagree on a number
(figures), what is an edit (edits). Pure."""

from crawler.cluster.edits import is_trivial_edit, text_diff
from crawler.cluster.figures import Dispute, Figure, disputes, figures
from crawler.cluster.fingerprint import Candidate, containment, copy_of, fingerprint
from crawler.cluster.overlap import Overlap, compare
from crawler.cluster.stories import (
    WINDOW,
    Profile,
    Verdict,
    crowding,
    keys,
    likeness,
    partition,
    profile,
    same_event,
)

__all__ = [
    "WINDOW",
    "Candidate",
    "Dispute",
    "Figure",
    "Overlap",
    "Profile",
    "Verdict",
    "compare",
    "containment",
    "copy_of",
    "crowding",
    "disputes",
    "figures",
    "fingerprint",
    "is_trivial_edit",
    "keys",
    "likeness",
    "partition",
    "profile",
    "same_event",
    "text_diff",
]
