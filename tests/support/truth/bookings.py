"""Bookings: a document per reservation, its nights in order; of those that came to us one for all of theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from psycopg.rows import DictRow

from tests.support.truth.ours import AGENT, Link, Ours
from tests.support.truth.rows import Document, Key, Rows, iso, yen

BOOKINGS_KEPT = timedelta(days=30)
ALIVE_FIRST = ("checked_in", "confirmed", "provisory", "hold", "checked_out", "cancelled")
"""What a booking of several reservations is: the first of these that one of them is."""

Place = tuple[int, int, date]
"""Hotel, room, night."""


def _by(rows: Iterable[DictRow], field: str) -> dict[Any, list[DictRow]]:
    groups: dict[Any, list[DictRow]] = defaultdict(list)
    for row in rows:
        groups[row[field]].append(row)
    return groups


def bookings(rows: Rows, today: date) -> dict[Key, Document]:
    """Every reservation but blocks and employee stays, unless it ended more than 30 days ago."""
    desk = _Desk(
        clients={row["id"]: row for row in rows.read("SELECT * FROM clients")},
        rooms={(row["hotel_id"], row["id"]): row for row in rows.rooms},
        guests=_by(rows.read("SELECT * FROM reservation_clients"), "reservation_details_id"),
        addons=_by(rows.read("SELECT * FROM reservation_addons"), "reservation_detail_id"),
        stays=_stays(rows),
    )
    nights = _by(rows.nights, "reservation_id")
    booked = {
        row["id"]: row
        for row in rows.read("SELECT * FROM reservations")
        if row["status"] != "block" and row["type"] != "employee"
    }
    ours = Ours(rows)
    documents: dict[Key, Document] = {}
    for number, row in booked.items():
        if ours.home(row) is None and row["check_out"] >= today - BOOKINGS_KEPT:
            key = ("booking", row["hotel_id"], str(number))
            documents[key] = desk.booking(row, nights.get(number, []), {number} if _ours(row) else ())
    for link in ours.links:
        body = desk.linked(link, booked, ours, nights)
        if body is not None and date.fromisoformat(body["check_out"]) >= today - BOOKINGS_KEPT:
            documents["booking", link.hotel, str(link.booking)] = body
    return documents


def _ours(row: DictRow) -> bool:
    return bool(row["type"] == "web" and row["agent"] == AGENT and row["status"] != "cancelled")


def _stays(rows: Rows) -> dict[Place, set[Any]]:
    """The reservations that have a room on a night."""
    stays: dict[Place, set[Any]] = defaultdict(set)
    for night in rows.nights:
        if night["cancelled"] is None and night["room_id"] is not None:
            stays[night["hotel_id"], night["room_id"], night["date"]].add(night["reservation_id"])
    return stays


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a booking's document is put together from, by id."""

    clients: dict[Any, DictRow]
    rooms: dict[tuple[int, int], DictRow]
    guests: dict[Any, list[DictRow]]
    addons: dict[Any, list[DictRow]]
    stays: dict[Place, set[Any]]

    def booking(self, row: DictRow, nights: list[DictRow], standing: Collection[Any]) -> Document:
        """A reservation's document, of these nights. standing: reservations that are told who else has a room."""
        client = self.clients[row["reservation_client_id"]]
        # Rooms in order of their number in the database, nights without a room last.
        ordered = sorted(
            nights, key=lambda night: (night["date"], night["room_id"] is None, night["room_id"] or 0, night["id"])
        )
        plain = ("status", "type", "agent", "number_of_people", "payment_timing", "comment")
        return {
            "hotel_id": row["hotel_id"],
            "booking_id": str(row["id"]),
            "reservations": [str(row["id"])],
            **{field: row[field] for field in plain},
            "external_id": row["ota_reservation_id"],
            "check_in": iso(row["check_in"]),
            "check_in_time": row["check_in_time"] and row["check_in_time"].isoformat(),
            "check_out": iso(row["check_out"]),
            "check_out_time": row["check_out_time"] and row["check_out_time"].isoformat(),
            "guest": {
                "client_id": str(client["id"]),
                "name": _display_name(client),
                "name_kana": client["name_kana"],
                "email": client["email"],
                "phone": client["phone"],
            },
            "total": yen(sum((self._revenue(night) for night in nights), Decimal(0))),
            "nights": [
                self._night(night) | {"contested": night["reservation_id"] in standing and self._contested(night)}
                for night in ordered
            ],
        }

    def linked(
        self, link: Link, booked: dict[Any, DictRow], ours: Ours, nights: dict[Any, list[DictRow]]
    ) -> Document | None:
        """A booking that came to us: its nights, in whatever reservations they are; None where it has none left."""
        held = [night for night in ours.nights(link) if night["reservation_id"] in booked]
        numbers = {night["reservation_id"] for night in held} | ({link.booking} & booked.keys())
        if not numbers:
            return None
        parts = sorted((booked[n] for n in numbers), key=lambda row: (row["id"] != link.booking, row["id"]))
        head = min(parts, key=lambda row: (row["id"] != link.booking, ours.home(row) != link, row["id"]))
        spans, whole = [], True
        for part in parts:
            dates = [night["date"] for night in held if night["reservation_id"] == part["id"]]
            alone = len(dates) == len(nights.get(part["id"], []))
            stay = (part["check_in"], part["check_out"])
            spans.append(stay if alone or not dates else (min(dates), max(dates) + timedelta(days=1)))
            whole = whole and alone
        standing = {part["id"] for part in parts if part["status"] != "cancelled"}
        return self.booking(head, held, standing) | {
            "booking_id": str(link.booking),
            "reservations": [str(part["id"]) for part in parts],
            "external_id": link.external_id,
            "status": min((part["status"] for part in parts), key=ALIVE_FIRST.index),
            "check_in": iso(min(first for first, _ in spans)),
            "check_out": iso(max(last for _, last in spans)),
            "number_of_people": parts[0]["number_of_people"] if whole and len(parts) == 1 else _people(held),
        }

    def _revenue(self, night: DictRow) -> Decimal:
        if night["cancelled"] is not None:
            return Decimal(0)
        price = night["price"] or Decimal(0)
        if night["plan_type"] == "per_person":
            price *= night["number_of_people"]
        addons = self.addons.get(night["id"], [])
        return Decimal(price + sum(addon["price"] * addon["quantity"] for addon in addons))

    def _contested(self, night: DictRow) -> bool:
        if night["cancelled"] is not None:
            return False
        return len(self.stays.get((night["hotel_id"], night["room_id"], night["date"]), ())) > 1

    def _night(self, night: DictRow) -> Document:
        room = self.rooms.get((night["hotel_id"], night["room_id"]))
        general, own = night["plans_global_id"], night["plans_hotel_id"]
        guests = [self.clients[row["client_id"]] for row in self.guests.get(night["id"], [])]
        addons = sorted(self.addons.get(night["id"], []), key=_addon_order)
        return {
            "date": iso(night["date"]),
            "room_type_id": room["room_type_id"] if room else None,
            "room_id": night["room_id"],
            "room_number": room["room_number"] if room else None,
            "plan_key": None
            if general is None and own is None
            else f"{'' if general is None else general}h{'' if own is None else own}",
            "plan_name": night["plan_name"],
            "plan_type": night["plan_type"],
            "number_of_people": night["number_of_people"],
            "price": yen(night["price"]),
            "billable": night["billable"],
            "cancelled": night["cancelled"] is not None,
            "guests": sorted(
                ({"client_id": str(client["id"]), "name": _display_name(client)} for client in guests),
                key=lambda guest: (guest["name"], guest["client_id"]),
            ),
            "addons": [
                {
                    "name": row["addon_name"],
                    "type": row["addon_type"],
                    "quantity": row["quantity"],
                    "price": yen(row["price"]),
                }
                for row in addons
            ],
        }


def _people(nights: list[DictRow]) -> int:
    """The most that stay on one night."""
    staying = [night for night in nights if night["cancelled"] is None] or nights
    by_date: dict[date, int] = defaultdict(int)
    for night in staying:
        by_date[night["date"]] += night["number_of_people"]
    return max(by_date.values(), default=0)


def _addon_order(row: DictRow) -> tuple[Any, ...]:
    """By name, type, quantity and price; as in the C collation, and what has no name last."""
    name, kind = row["addon_name"], row["addon_type"]
    return name is None, name or "", kind is None, kind or "", row["quantity"], row["price"]


def _display_name(client: DictRow) -> str:
    for field in ("name_kanji", "name_kana"):
        if client[field] is not None:
            return str(client[field])
    return str(client["name"])
