"""Keys: the names of the things a booking engine knows."""

from typing import Literal, NamedTuple

Kind = Literal["hotel", "room_type", "plan", "rates", "availability", "booking", "snapshot"]


class Key(NamedTuple):
    """Names one document: its kind, its hotel, and its id within them.

    id: "" for a hotel, the room type's id for room_type and availability, the plan key for a plan and its rates,
    the reservation's uuid for a booking. `snapshot` is no document: it closes a first sync.
    """

    kind: Kind
    hotel_id: int
    id: str
