"""When to answer a server that asks for a status, and when to leave it. Pure: the caller brings the time.

A server asks when it has not heard from us for long. It asks without end while it shuts down and what it has sent
is not confirmed: it answers each status with the next question, tens of thousands a second, and does not stop
before its last position is confirmed. Where we cannot confirm, because our own writes need that very server, we
have to leave, or it never comes down.
"""

from dataclasses import dataclass
from typing import Final

_GAP: Final = 0.1
_SERIES_ENDS: Final = 1.0
_PATIENCE: Final = 2.0


@dataclass(slots=True)
class Answering:
    """The questions of one connection. Times are monotonic seconds.

    Attributes:
        answered: when the last status went out.
        began: when the present series of questions began.
        asked: when the last question came.
    """

    answered: float = float("-inf")
    began: float = float("-inf")
    asked: float = float("-inf")

    def ask(self, now: float) -> float:
        """Take a question.

        Returns:
            In how many seconds to answer; 0 means at once.
        """
        if now - self.asked > _SERIES_ENDS:
            self.began = now
        self.asked = now
        return max(0.0, self.answered + _GAP - now)

    def moved(self, now: float) -> None:
        """Note that a higher position was confirmed: whoever asks may now be content."""
        self.began = now

    @property
    def hopeless(self) -> bool:
        """Questions have come without a pause for 2 s, and no position has moved: the server waits for us."""
        return self.asked - self.began > _PATIENCE
