"""What a key or token may do, and of which hotels."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Scope = Literal["read", "book", "guest-data", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""read: content, availability, prices; book: bookings; guest-data: names and contacts; admin: endpoints."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and what that is allowed.

    key_id: of the API key, also where a token was sent; source: the client's name, the same for all of its keys;
    hotels: ids, None for every hotel; user_id: the engine's user that a token was made for; expires_at: of the
    token or key; checked: False where the database could not be asked whether the key is valid still, so that it
    opens nothing but what is in memory.
    """

    key_id: str
    source: str
    scopes: frozenset[Scope]
    hotels: frozenset[int] | None = None
    user_id: str | None = None
    expires_at: datetime | None = None
    checked: bool = True

    def knows(self, hotel_id: int) -> bool:
        """Whether it may know of this hotel."""
        return self.hotels is None or hotel_id in self.hotels

    def may(self, scope: str) -> bool:
        """Whether it has this scope."""
        return scope in self.scopes
