"""What came of a pass: a line for each source that was visited, and the totals."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store.records import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """What one visit came to."""

    id: str
    outcome: Outcome
    status: int | None
    seen: int
    new: int
    ms: int
    error: str | None = None

    def __str__(self) -> str:
        status = str(self.status) if self.status is not None else "-"
        return f"{self.id:<32} {self.outcome:<10} {status:>3}  {self.ms:>6} ms  {self.said}".rstrip()

    @property
    def said(self) -> str:
        """Why it failed, or how many were new."""
        return self.error or (f"{self.new} new of {self.seen}" if self.seen else "")

    def to_json(self) -> dict[str, Any]:
        return {n: getattr(self, n) for n in ("id", "outcome", "status", "seen", "new", "ms", "error")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one pass came to. `reached`: requests that somebody answered. `unreachable`: sources were visited and none
    could be connected to; then none was charged with a failure."""

    sources: tuple[SourceLine, ...] = ()
    pages: Mapping[str, int]  # state of the entry -> how many pages ended in it
    requests: int = 0
    reached: int = 0
    forgiven: int = 0  # failures to connect that were put down to our own line
    unreachable: bool = False
    stopped: bool = False
    seconds: float = 0.0

    def totals(self) -> dict[str, Any]:
        outcomes = Counter(str(line.outcome) for line in self.sources)
        return {
            "visited": len(self.sources),
            "outcomes": dict(sorted(outcomes.items())),
            "new": sum(line.new for line in self.sources),
            "pages": dict(sorted(self.pages.items())),
            "requests": self.requests,
            "reached": self.reached,
            "forgiven": self.forgiven,
            "unreachable": self.unreachable,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
        }

    def line(self) -> str:
        """The totals as one line."""
        pages = ", ".join(f"{n} {state}" for state, n in sorted(self.pages.items())) or "none"
        new = sum(line.new for line in self.sources)
        end = "; stopped" if self.stopped else ""
        return (
            f"{len(self.sources)} sources, {new} new items; pages: {pages}; "
            f"{self.requests} requests in {self.seconds:.1f} s{end}"
        )

    def lines(self) -> list[str]:
        """A line a source, and the totals."""
        return [*(str(line) for line in self.sources), self.line()]

    def to_json(self) -> dict[str, Any]:
        return {**self.totals(), "sources": [s.to_json() for s in self.sources]}
