"""Keys: the names of the things a booking engine knows."""

from typing import Literal, NamedTuple, get_args

Kind = Literal["hotel", "room_type", "plan", "rates", "availability", "booking", "snapshot"]


class Key(NamedTuple):
    """Names one document: its kind, its hotel, and its id within them.

    id: "" for a hotel, the room type's id for room_type and availability, the plan key for a plan and its rates,
    the reservation's uuid for a booking. `snapshot` is no document: it closes a first sync.
    """

    kind: Kind
    hotel_id: int
    id: str

    def __str__(self) -> str:
        return written(*self)


def written(kind: str, hotel_id: int, number: str) -> str:
    """A key as it is shown; `parse` reads it."""
    return f"{kind}:{hotel_id}:{number}" if number else f"{kind}:{hotel_id}"


def parse(text: str) -> Key:
    """Read a key as it is shown: `booking:7:3f6c1d0a-…`, `availability:7:31`, `hotel:7`.

    Raises:
        ValueError: it is none; the message says how one looks.
    """
    kind, _, rest = text.partition(":")
    hotel, _, number = rest.partition(":")
    if kind not in get_args(Kind) or not hotel.isascii() or not hotel.isdecimal() or int(hotel) >= 2**31:
        raise ValueError(f"{text!r} is no key, such as booking:7:3f6c1d0a-5b7e-4c1f-9a53-0d2f7b8e6a11 or hotel:7")
    return Key(kind, int(hotel), number)  # type: ignore[arg-type]  # one of Kind
