"""What may have changed: the keys that a transaction of the PMS, or a page of durable work, makes dirty."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

ScopeKind = Literal["content", "rates", "availability", "booking", "horizon", "client"]
CHANGED = ""
"""A client's digest where it is not known, or was several: no stored digest equals it."""


class Scope(NamedTuple):
    """Durable work on all keys of a kind: of one hotel, or of every hotel (None). Clients are of no hotel."""

    kind: ScopeKind
    hotel_id: int | None


ALL_CLIENTS = Scope("client", None)
"""Look at every client that a document shows, and recompute the bookings of those that differ."""


@dataclass(slots=True)
class Dirty:
    """Keys to recompute, and ids by which more of them are found.

    hotels: whose content (hotel, room types, plans) may differ; rates: hotels whose plans may cost otherwise;
    reservations: (hotel_id, uuid); nights: (hotel_id, "YYYY-MM-DD"); inserted: ids of new nights; gone: ids of
    deleted nights, guests and add-ons; touched: ids of nights whose guests or add-ons changed; rooms: (hotel_id,
    room id) whose number or type may differ; clients: uuid → digest, or CHANGED; scopes: what only durable work can
    cover.
    """

    hotels: set[int] = field(default_factory=set)
    rates: set[int] = field(default_factory=set)
    reservations: set[tuple[int, str]] = field(default_factory=set)
    nights: set[tuple[int, str]] = field(default_factory=set)
    inserted: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    rooms: set[tuple[int, int]] = field(default_factory=set)
    clients: dict[str, str] = field(default_factory=dict)
    scopes: set[Scope] = field(default_factory=set)

    def __len__(self) -> int:
        """How many keys and ids it holds, the measure of a batch's size."""
        return (
            len(self.hotels)
            + len(self.rates)
            + len(self.reservations)
            + len(self.nights)
            + len(self.gone)
            + len(self.touched)
            + len(self.rooms)
            + len(self.clients)
            + len(self.scopes)
        )

    def add_client(self, client_id: str, digest: str) -> None:
        """Note a client's digest; one that went there and back has changed, for a document may show the middle."""
        if ALL_CLIENTS in self.scopes:
            return
        self.clients[client_id] = digest if self.clients.get(client_id, digest) == digest else CHANGED

    def update(self, other: "Dirty") -> None:
        """Take in another's keys."""
        self.hotels |= other.hotels
        self.rates |= other.rates
        self.reservations |= other.reservations
        self.nights |= other.nights
        self.inserted |= other.inserted
        self.gone |= other.gone
        self.touched |= other.touched
        self.rooms |= other.rooms
        for client_id, digest in other.clients.items():
            self.add_client(client_id, digest)
        self.scopes |= other.scopes

    def collapse(self) -> None:
        """Give up the single keys of what has become too large to hold: durable work covers all of theirs."""
        hotels = {hotel_id for hotel_id, _ in self.reservations | self.nights}
        self.scopes |= {Scope(kind, hotel_id) for hotel_id in hotels for kind in ("availability", "booking")}
        if self.gone or self.touched:
            self.scopes.add(Scope("booking", None))
        if self.clients:
            self.scopes.add(ALL_CLIENTS)
        for held in (self.reservations, self.nights, self.inserted, self.gone, self.touched, self.clients):
            held.clear()
