"""What is measured at the receiving end: deliveries, signatures, and how long news takes from the PMS's commit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

WINDOW = 1000
"""Messages that the percentiles are taken over."""
RECENT = 60
"""Messages that the page draws."""


@dataclass(slots=True)
class Measures:
    """Counters and delays.

    Attributes:
        received: Requests to the webhook's address.
        verified: Those whose signature was right.
        refused: Those whose signature was not.
        refusal: Why the last one was refused.
        delays: Milliseconds from the commit in the PMS to the verified message, of news only.
    """

    received: int = 0
    verified: int = 0
    refused: int = 0
    refusal: str | None = None
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def refuse(self, why: str) -> None:
        """Count a message whose signature was wrong."""
        self.refused += 1
        self.refusal = why

    def shown(self) -> dict[str, Any]:
        """The figures as the page gets them; delays in milliseconds, None where nothing is measured yet."""
        ordered = sorted(self.delays)
        return {
            "received": self.received,
            "verified": self.verified,
            "refused": self.refused,
            "refusal": self.refusal,
            "delay": {
                "count": len(ordered),
                "last": round(self.delays[-1], 1) if ordered else None,
                "p50": percentile(ordered, 50),
                "p99": percentile(ordered, 99),
                "recent": [round(delay, 1) for delay in list(self.delays)[-RECENT:]],
            },
        }


def percentile(ordered: list[float], percent: int) -> float | None:
    """The nearest-rank percentile of ascending numbers, None if there are none."""
    if not ordered:
        return None
    rank = -(-len(ordered) * percent // 100)
    return round(ordered[max(rank, 1) - 1], 1)
