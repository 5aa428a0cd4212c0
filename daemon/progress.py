"""How capture is doing, kept where it happens and read by whoever watches: metrics, readiness."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

BEAT_SECONDS = 10.0
"""How often a message in the WAL measures the lag, and the checkpoint moves though nothing happens."""

State = Literal["starting", "leading", "standby", "reconnecting"]


@dataclass(slots=True)
class Progress:
    """What capture has done in this process. Plain numbers, so that counting costs the stream nothing.

    state: what it does now, since `since` (Unix seconds); reason: why it does not lead; epoch: of its own last
    lead, 0 before the first; checkpoint_lsn: an integer; changes: rows of followed tables; documents: kind → how
    many got a new version; invisible: commits that were not visible when first looked for; waiting: how many are
    not visible now.
    """

    state: State = "starting"
    since: float = field(default_factory=time.time)
    reason: str | None = None
    epoch: int = 0
    checkpoint_lsn: int = 0
    transactions: int = 0
    changes: int = 0
    keys: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    invisible: int = 0
    waiting: int = 0
    _beat_at: float = 0.0
    _beat_took: float = 0.0

    @property
    def leads(self) -> bool:
        """Whether this process leads the slot."""
        return self.state == "leading"

    def become(self, state: State, reason: str | None = None) -> bool:
        """Note what capture does from now on; returns whether that is news."""
        news = (self.state, self.reason) != (state, reason)
        if self.state != state:
            self.since = time.time()
        self.state, self.reason = state, reason
        if state == "leading":
            self._beat_at, self._beat_took = self.since, 0.0
        return news

    def beat(self, content: str, now: float) -> None:
        """Take a message that came back through the slot; its content is the Unix time it was written at."""
        try:
            self._beat_at = float(content)
        except ValueError:
            return  # not one of ours
        self._beat_took = now - self._beat_at

    def lag_seconds(self, now: float) -> float | None:
        """How long a change takes to come through the slot; None while another leads.

        A message that does not come back counts from the moment it was due.
        """
        if not self.leads:
            return None
        return max(self._beat_took, now - self._beat_at - BEAT_SECONDS, 0.0)
