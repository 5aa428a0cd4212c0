"""Routes from a change in the PMS's tables to the keys that it makes dirty.

Under REPLICA IDENTITY DEFAULT an update tells the new row and a delete only the primary key; what they do not tell
is found by the projector from the ids noted here.
"""

from collections.abc import Callable, Mapping
from hashlib import md5

from daemon.places import Places
from daemon.replication.changes import Row
from outbox.dirty import CHANGED, Dirty, Scope, ScopeKind

Values = Mapping[str, str | None]

_ALL_KINDS: tuple[ScopeKind, ...] = ("content", "availability", "booking")
_SHOWN_OF_CLIENTS = ("name", "name_kana", "name_kanji", "email", "phone")


def route(row: Row, dirty: Dirty, places: Places) -> None:
    """Add to `dirty` what this change of a followed table may have changed; `places` notes where nights stand."""
    if row.table == "reservation_details" and not places.moved(row):
        _priced(row, dirty)
    else:
        _ROUTES[row.table](row, dirty)


def route_everything(dirty: Dirty, hotel_id: int | None) -> None:
    """Add everything of a hotel, or (None) of every hotel: for what names no rows, such as TRUNCATE."""
    dirty.scopes |= {Scope(kind, hotel_id) for kind in _ALL_KINDS}


def client_digest(values: Values) -> str:
    """The digest of what documents show of a client, as sql/pms/bookings.sql computes it."""
    shown = "\x1f".join("\x1e" if (text := values[name]) is None else text for name in _SHOWN_OF_CLIENTS)
    return md5(shown.encode(), usedforsecurity=False).hexdigest()


def _text(values: Values, name: str) -> str:
    text = values[name]
    if text is None:
        raise ValueError(f"column {name} of the PMS is NULL where its schema forbids it")
    return text


def _hotel(values: Values) -> int:
    return int(_text(values, "hotel_id"))


def _hotels(row: Row, dirty: Dirty) -> None:
    hotel_id = int(_text(row.values, "id"))
    dirty.hotels.add(hotel_id)
    if row.action != "update":
        route_everything(dirty, hotel_id)


def _plans(row: Row, dirty: Dirty) -> None:
    hotel_id = _hotel(row.values)
    dirty.hotels.add(hotel_id)
    dirty.rates.add(hotel_id)


def _rates(row: Row, dirty: Dirty) -> None:
    """A rate of a hotel's plan tells its hotel; one of a global plan, or where one stood before, may be any's."""
    ours = row.action != "delete" and row.values["plans_hotel_id"] is not None
    if ours and row.values["hotel_id"] is not None:
        dirty.rates.add(_hotel(row.values))
    if not ours or row.action == "update":
        dirty.scopes.add(Scope("rates", None))


def _room_types(row: Row, dirty: Dirty) -> None:
    hotel_id = _hotel(row.values)
    dirty.hotels.add(hotel_id)
    dirty.scopes.add(Scope("availability", hotel_id))


def _rooms(row: Row, dirty: Dirty) -> None:
    _room_types(row, dirty)
    if row.action == "update":
        dirty.rooms.add((_hotel(row.values), int(_text(row.values, "id"))))


def _global_plans(_row: Row, dirty: Dirty) -> None:
    dirty.scopes.add(Scope("content", None))


def _clients(row: Row, dirty: Dirty) -> None:
    if row.action != "update":
        return
    told = all(name in row.values for name in _SHOWN_OF_CLIENTS)
    dirty.add_client(_text(row.values, "id"), client_digest(row.values) if told else CHANGED)


def _reservations(row: Row, dirty: Dirty) -> None:
    dirty.reservations.add((_hotel(row.values), _text(row.values, "id")))


def _nights(row: Row, dirty: Dirty) -> None:
    values = row.values
    if row.action == "delete":
        dirty.gone.add(_text(values, "id"))
        return
    if row.action == "insert":
        dirty.inserted.add(_text(values, "id"))
    hotel_id = _hotel(values)
    dirty.reservations.add((hotel_id, _text(values, "reservation_id")))
    dirty.nights.add((hotel_id, _text(values, "date")))


def _priced(row: Row, dirty: Dirty) -> None:
    """A night that stands where it stood: its booking may be another, availability and conflicts are not."""
    dirty.reservations.add((_hotel(row.values), _text(row.values, "reservation_id")))


def _child(column: str) -> Callable[[Row, Dirty], None]:
    def route_child(row: Row, dirty: Dirty) -> None:
        if row.action == "delete":
            dirty.gone.add(_text(row.values, "id"))
        else:
            dirty.touched.add(_text(row.values, column))

    return route_child


_ROUTES: Mapping[str, Callable[[Row, Dirty], None]] = {
    "hotels": _hotels,
    "room_types": _room_types,
    "rooms": _rooms,
    "plans_global": _global_plans,
    "plans_hotel": _plans,
    "hotel_plan_exclusions": _plans,
    "plans_rates": _rates,
    "clients": _clients,
    "reservations": _reservations,
    "reservation_details": _nights,
    "reservation_clients": _child("reservation_details_id"),
    "reservation_addons": _child("reservation_detail_id"),
}
