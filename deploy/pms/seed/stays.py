"""A hotel's reservations around a day: arrivals until each night is as full as its season asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deploy.pms.names import CHANNELS, long_remark, remark
from deploy.pms.prices import price
from deploy.pms.seed.catalogue import ADDONS, SYSTEM_BLOCK, TEMPORARY_HOLD, Hotel, Plan, Room, new_client
from deploy.pms.seed.rows import Rows

PAST_NIGHTS = 40
LENGTHS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 14, 28)
PARTIES = (1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4)
"""Nights and rooms of a stay, by how often they are wanted."""


@dataclass(slots=True)
class Stay:
    """One reservation about to be written."""

    hotel: Hotel
    rooms: Sequence[Room]
    check_in: date
    nights: int
    status: str
    kind: str
    plan: Plan | None
    client: str
    guests: Sequence[str]
    charged: bool = False

    @property
    def is_block(self) -> bool:
        """Whether it only keeps a room from being sold."""
        return self.status == "block"

    def occupies(self, offset: int) -> bool:
        """Whether its night number `offset` is not cancelled: of a charged cancellation the last one is not."""
        return self.status != "cancelled" or (self.charged and offset == self.nights - 1)


class Calendar:
    """Which nights of which rooms are taken: one bit per night, so that a stay is one test."""

    def __init__(self, rooms: Sequence[Room], first: date) -> None:
        self._first = first
        self._rooms = rooms
        self._taken = {room.id: 0 for room in rooms}

    def take(self, stay: Stay) -> None:
        """Mark the nights that a stay occupies."""
        kept = [offset for offset in range(stay.nights) if stay.occupies(offset)]
        for room in stay.rooms:
            for offset in kept:
                self._taken[room.id] |= self._mask(stay.check_in + timedelta(days=offset), 1)

    def free(self, check_in: date, nights: int) -> list[Room]:
        """The rooms free on all these nights."""
        mask = self._mask(check_in, nights)
        return [room for room in self._rooms if not self._taken[room.id] & mask]

    def filled(self, night: date) -> float:
        """The share of rooms taken on a night."""
        mask = self._mask(night, 1)
        return sum(1 for taken in self._taken.values() if taken & mask) / len(self._rooms)

    def _mask(self, check_in: date, nights: int) -> int:
        return ((1 << nights) - 1) << (check_in - self._first).days


def populate(rows: Rows, hotel: Hotel, *, days: int, today: date) -> None:
    """Write a hotel's reservations from 40 nights (or `days`, if fewer) ago to `days` nights ahead."""
    rng = rows.rng
    first = today - timedelta(days=min(PAST_NIGHTS, days))
    ordinary = [room for room in hotel.rooms if room.ordinary]
    calendar = Calendar(ordinary, first)
    regulars = [new_client(rows, first) for _ in range(20)]
    for offset in range((today - first).days + days):
        night = first + timedelta(days=offset)
        wanted = _season(night, today) + rng.uniform(-0.08, 0.08)
        while calendar.filled(night) < wanted:
            length = min(rng.choice(LENGTHS), (today - first).days + days - offset)
            free = calendar.free(night, length)
            if not free:
                break
            rooms = _rooms_of_one_type(rows, free)
            stay = _draw(rows, hotel, rooms, check_in=night, nights=length, regulars=regulars, today=today)
            _write(rows, stay)
            calendar.take(stay)


def _season(night: date, today: date) -> float:
    """The share of rooms to fill: weekends and summer more, the far future less."""
    base = 0.58 + (0.08 if night.weekday() in {4, 5} else 0) + (0.06 if night.month in {8, 11} else 0)
    ahead = max(0, (night - today).days)
    return max(0.4, base - ahead / 330 * 0.2)


def _rooms_of_one_type(rows: Rows, free: list[Room]) -> list[Room]:
    chosen = rows.rng.choice(free)
    alike = [room for room in free if room.room_type_id == chosen.room_type_id and room is not chosen]
    return [chosen, *alike[: rows.rng.choice(PARTIES) - 1]]


def _draw(
    rows: Rows,
    hotel: Hotel,
    rooms: list[Room],
    *,
    check_in: date,
    nights: int,
    regulars: list[str],
    today: date,
) -> Stay:
    rng = rows.rng
    status, kind = _standing(rows, check_in, check_in + timedelta(days=nights), today)
    if status == "block":
        client, guests = (SYSTEM_BLOCK if rng.random() < 0.7 else TEMPORARY_HOLD), []
    else:
        created = check_in - timedelta(days=rng.randint(1, 60))
        client = rng.choice(regulars) if rng.random() < 0.15 else new_client(rows, created)
        guests = [client, new_client(rows, created)] if rng.random() < 0.4 else [client]
    plan = None if status in {"block", "hold"} or kind == "employee" else rng.choice(hotel.plans)
    charged = status == "cancelled" and kind == "ota" and rng.random() < 0.4
    if status == "block":
        rooms = rooms[:1]
    return Stay(hotel, rooms, check_in, nights, status, kind, plan, client, guests, charged)


def _standing(rows: Rows, check_in: date, check_out: date, today: date) -> tuple[str, str]:
    """Status and type of a reservation, as they would be on `today`."""
    rng = rows.rng
    kind = rng.choices(("default", "ota", "web", "employee"), (40, 45, 13, 2))[0]
    if rng.random() < 0.02:
        return "block", "default"
    if rng.random() < 0.11:
        return "cancelled", kind
    if check_out <= today:
        return ("confirmed" if rng.random() < 0.03 else "checked_out"), kind
    if check_in <= today:
        return ("confirmed" if rng.random() < 0.1 else "checked_in"), kind
    if kind in {"ota", "web"}:
        return "confirmed", kind
    return rng.choices(("confirmed", "provisory", "hold"), (75, 10, 15))[0], kind


def _write(rows: Rows, stay: Stay) -> None:
    rng, reservation = rows.rng, rows.uuid()
    online = stay.kind in {"ota", "web"}
    dice = rng.random()
    comment = None
    if dice < 0.03:
        comment = long_remark(rng, rng.randint(3000, 10000))
    elif dice < 0.2:
        comment = remark(rng)
    people = sum(rng.randint(1, room.capacity) for room in stay.rooms)
    rows.add(
        "reservations", id=reservation, hotel_id=stay.hotel.id, reservation_client_id=stay.client,
        check_in=stay.check_in, check_in_time=rng.choice(("16:00", "16:00", "15:00", "20:30")),
        check_out=stay.check_in + timedelta(days=stay.nights), number_of_people=people, status=stay.status,
        type=stay.kind, agent=rng.choice(CHANNELS) if online else None,
        ota_reservation_id=f"RY{rng.getrandbits(40):012d}" if online else None,
        payment_timing="prepaid" if online else rng.choice(("not_set", "on-site", "postpaid")),
        comment=comment,
        has_important_comment=dice < 0.01, created_at=stay.check_in - timedelta(days=rng.randint(1, 60)),
    )  # fmt: skip
    for room in stay.rooms:
        for offset in range(stay.nights):
            _write_night(rows, stay, reservation, room, offset)
    if online or (stay.status == "checked_out" and rng.random() < 0.8):
        rows.add(
            "reservation_payments", id=rows.uuid(), hotel_id=stay.hotel.id, reservation_id=reservation,
            date=stay.check_in, room_id=stay.rooms[0].id, client_id=stay.client,
            payment_type_id=4 if online else 1, value=rng.randint(50, 500) * 100,
        )  # fmt: skip
    if stay.status == "checked_out" and rng.random() < 0.1:
        rows.add(
            "invoices", id=rows.uuid(), hotel_id=stay.hotel.id, date=stay.check_in, client_id=stay.client,
            invoice_number=f"{stay.hotel.id}-{rows.next_id('invoices'):06d}",
        )  # fmt: skip


def _write_night(rows: Rows, stay: Stay, reservation: str, room: Room, offset: int) -> None:
    rng, detail, plan = rows.rng, rows.uuid(), stay.plan
    night = stay.check_in + timedelta(days=offset)
    kept = stay.occupies(offset)
    billable = kept and stay.status in {"confirmed", "checked_in", "checked_out", "cancelled"}
    yen = price(plan.rates, night) if plan else (None if stay.is_block else 0)
    rows.add(
        "reservation_details", id=detail, hotel_id=stay.hotel.id, reservation_id=reservation, date=night,
        room_id=room.id, plans_global_id=plan and plan.global_id, plans_hotel_id=plan and plan.hotel_id,
        plan_name=plan and plan.name, plan_type=plan.plan_type if plan else "per_room",
        number_of_people=min(room.capacity, max(1, len(stay.guests))), price=yen,
        cancelled=None if kept else rows.uuid(), billable=billable and not stay.is_block,
        is_accommodation=stay.client != SYSTEM_BLOCK, created_at=stay.check_in,
    )  # fmt: skip
    for guest in stay.guests:
        rows.add(
            "reservation_clients",
            id=rows.uuid(),
            hotel_id=stay.hotel.id,
            reservation_details_id=detail,
            client_id=guest,
        )
    if plan is None:
        return
    rows.add(
        "reservation_rates", id=rows.uuid(), hotel_id=stay.hotel.id, reservation_details_id=detail,
        adjustment_type="base_rate", adjustment_value=yen, include_in_cancel_fee=True, tax_type_id=3,
        tax_rate="0.1", price=yen,
    )  # fmt: skip
    if rng.random() < 0.3:
        _write_addon(rows, stay, detail, night)


def _write_addon(rows: Rows, stay: Stay, detail: str, night: date) -> None:
    number = rows.rng.randrange(len(ADDONS))
    name, kind, yen, tax_type, tax = ADDONS[number]
    rows.add(
        "reservation_addons", id=rows.uuid(), hotel_id=stay.hotel.id, reservation_detail_id=detail,
        addons_global_id=number + 1, addon_name=name, addon_type=kind, quantity=rows.rng.randint(1, 2),
        price=yen, tax_type_id=tax_type, tax_rate=tax,
        sales_category="other" if kind == "parking" else "accommodation",
    )  # fmt: skip
    if kind == "parking":
        rows.add(
            "reservation_parking",
            hotel_id=stay.hotel.id,
            reservation_details_id=detail,
            date=night,
            price=yen,
        )
