"""What the judged samples say: live precision and recall, with their intervals."""

import math
from typing import Any

from store.connection import Store
from store.marks import Stratum

Z = 1.96  # 95 %


def wilson(positive: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, 1927); (0, 1) where nothing was judged."""
    if not count:
        return 0.0, 1.0
    share = positive / count
    middle = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def report(store: Store) -> dict[str, Any]:
    """Precision of what is kept, and recall: of all that is relevant, the part that is kept.

    What was missed is estimated from the samples of the two kinds of rejects; a stratum that nobody has judged leaves
    the interval open, and the value out.
    """
    strata = {s.name: s for s in store.marks.strata()}
    kept = strata["kept"]
    low, high = wilson(kept.relevant, kept.judged)
    precision = {"value": _share(kept), "low": low, "high": high, "judged": kept.judged}
    lost = [strata["rejects"], strata["unfetched"]]
    best = kept.population * (_share(kept) if kept.judged else 1.0)
    values = (
        [best, *(s.population * _share(s) for s in lost)] if all(s.judged or not s.population for s in lost) else None
    )
    most = sum(s.population * wilson(s.relevant, s.judged)[1] for s in lost if s.population)
    least = sum(s.population * wilson(s.relevant, s.judged)[0] for s in lost if s.population)
    recall = {
        "value": values[0] / sum(values) if values and sum(values) else None,
        "low": best / (best + most) if best + most else 0.0,
        "high": best / (best + least) if best + least else 1.0,
        "judged": sum(s.judged for s in lost),
    }
    return {"precision": precision, "recall": recall}


def _share(stratum: Stratum) -> float:
    return stratum.relevant / stratum.judged if stratum.judged else 0.0


def line(value: dict[str, Any]) -> str:
    """``precision .95 (.83 to .99, 40 judged); recall ...``"""
    parts = []
    for name in ("precision", "recall"):
        v = value[name]
        if not v["judged"]:
            parts.append(f"{name} not judged yet")
            continue
        shown = f"{v['value']:.2f}" if v["value"] is not None else "open"
        parts.append(f"{name} {shown} ({v['low']:.2f} to {v['high']:.2f}, {v['judged']} judged)")
    return "; ".join(parts) + ("" if any(value[n]["judged"] for n in value) else ": `pakrus sample`")
