"""What the hotels have to sell: rooms, plans with their rates, add-ons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from deploy.pms.names import HOTELS, person
from deploy.pms.prices import Rate
from deploy.pms.seed.rows import Rows

SYSTEM_BLOCK = "11111111-1111-1111-1111-111111111111"
TEMPORARY_HOLD = "22222222-2222-2222-2222-222222222222"
ROOM_TYPES = (
    ("シングル", 1, 30),
    ("ダブル", 2, 25),
    ("ツイン", 2, 20),
    ("和室", 4, 12),
    ("トリプル", 3, 8),
    ("ファミリースイート", 5, 5),
)
"""Name, capacity, and share of a hotel's rooms in percent."""
GLOBAL_PLANS = (
    ("素泊まり", "per_room", "#D3D3D3", 8000),
    ("朝食付き", "per_person", "#FFC857", 6500),
    ("2食付き", "per_person", "#E9724C", 11800),
    ("連泊割", "per_room", "#2E8B57", 6400),
    ("荷物部屋", "per_room", "#808080", 2000),
)
ADDONS = (
    ("朝食バイキング", "breakfast", 1200, 2, Decimal("0.08")),
    ("昼食弁当", "lunch", 1000, 2, Decimal("0.08")),
    ("夕食会席", "dinner", 4950, 3, Decimal("0.1")),
    ("駐車場", "parking", 800, 3, Decimal("0.1")),
    ("貸切風呂 45分", "other", 2200, 3, Decimal("0.1")),
)


@dataclass(frozen=True, slots=True)
class Room:
    """A room that reservations may name."""

    id: int
    room_type_id: int
    capacity: int
    ordinary: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as a night records it, with the rates its price comes from."""

    global_id: int | None
    hotel_id: int | None
    name: str
    plan_type: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Hotel:
    """One hotel's stock: what the stays of the seed choose from."""

    id: int
    rooms: tuple[Room, ...]
    plans: tuple[Plan, ...]


def furnish(rows: Rows, *, hotels: int, today: date) -> list[Hotel]:
    """Users, the two fixed clients, global plans and add-ons, then every hotel."""
    for number, name in enumerate(("システム", "予約エンジン", "フロント 甲", "フロント 乙", "支配人"), 1):
        rows.add("users", id=number, email=f"user{number}@example.jp", name=name)
    rows.add("clients", id=SYSTEM_BLOCK, name="system_block", name_kanji="予約不可", gender="other")
    rows.add("clients", id=TEMPORARY_HOLD, name="temporary_hold", name_kanji="仮押さえ", gender="other")
    opened = today.replace(month=1, day=1) - timedelta(days=730)
    plans = [_global_plan(rows, number, opened) for number in range(1, len(GLOBAL_PLANS) + 1)]
    for number, (name, kind, yen, tax_type, tax) in enumerate(ADDONS, 1):
        rows.add(
            "addons_global",
            id=number,
            name=name,
            addon_type=kind,
            price=yen,
            tax_type_id=tax_type,
            tax_rate=tax,
        )
    for plan_id in (2, 3):
        rows.add(
            "plan_addons", id=rows.next_id("plan_addons"), plans_global_id=plan_id, addons_global_id=1,
            addon_type="breakfast", price=0, tax_type_id=2, tax_rate=Decimal("0.08"),
        )  # fmt: skip
    return [_hotel(rows, number, plans, opened, today) for number in range(1, hotels + 1)]


def _global_plan(rows: Rows, number: int, opened: date) -> Plan:
    name, plan_type, color, base = GLOBAL_PLANS[number - 1]
    rows.add(
        "plans_global",
        id=number,
        name=name,
        description=f"{name}プラン(全館共通)",
        plan_type=plan_type,
        color=color,
    )
    rates = (
        Rate("base_rate", Decimal(base), "no_restriction", None, opened, None),
        Rate("percentage", Decimal("12.5"), "day_of_week", json.dumps(["friday", "saturday"]), opened, None),
        Rate(
            "percentage",
            Decimal(-7),
            "month",
            json.dumps(["february", "june"]),
            opened,
            None,
            2,
            Decimal("0.08"),
        ),
    )
    _keep_rates(rows, rates, plans_global_id=number)
    return Plan(number, None, name, plan_type, rates)


def _keep_rates(
    rows: Rows,
    rates: tuple[Rate, ...],
    *,
    hotel_id: int | None = None,
    plans_global_id: int | None = None,
    plans_hotel_id: int | None = None,
) -> None:
    for rate in rates:
        rows.add(
            "plans_rates", id=rows.next_id("plans_rates"), hotel_id=hotel_id, plans_global_id=plans_global_id,
            plans_hotel_id=plans_hotel_id, adjustment_type=rate.adjustment_type, adjustment_value=rate.value,
            include_in_cancel_fee=rate.adjustment_type == "base_rate", tax_type_id=rate.tax_type_id,
            tax_rate=rate.tax_rate, condition_type=rate.condition_type, condition_value=rate.condition_value,
            date_start=rate.start, date_end=rate.end,
        )  # fmt: skip


def _hotel(rows: Rows, number: int, plans: list[Plan], opened: date, today: date) -> Hotel:
    name, formal, postal, address, latitude, longitude = HOTELS[(number - 1) % len(HOTELS)]
    suffix = "" if number <= len(HOTELS) else f" {number}号館"
    size = {1: 60, 2: 50, 3: 40}.get(number, 20)
    rooms = _rooms(rows, number, size)
    rows.add(
        "hotels", id=number, name=name + suffix, formal_name=formal + suffix, facility_type="New",
        open_date=opened - timedelta(days=365 * number),
        total_rooms=sum(room.ordinary for room in rooms) + 1,
        postal_code=postal, address=address, email=f"front{number}@example.jp",
        phone_number=f"03-5555-{number:04d}",
        latitude=latitude, longitude=longitude, bank_name="みなと銀行", sort_order=number,
        created_at=f"{opened} 09:30:00",
    )  # fmt: skip
    return Hotel(number, tuple(rooms), tuple(_hotel_plans(rows, number, plans, opened, today)))


def _rooms(rows: Rows, hotel: int, size: int) -> list[Room]:
    """Rooms by type and floor; the last but one is out of order, the very last is the staff's."""
    rooms: list[Room] = []
    counts = [round(size * share / 100) for _, _, share in ROOM_TYPES]
    counts[0] += size - sum(counts)
    for (name, capacity, _), count in zip(ROOM_TYPES, counts, strict=True):
        room_type = rows.next_id("room_types")
        rows.add(
            "room_types", id=room_type, hotel_id=hotel, name=name,
            description=f"{name}、定員{capacity}名、Wi-Fi無料", created_at="2024-04-01 10:00:00",
        )  # fmt: skip
        rows.add(
            "sc_tl_rooms", hotel_id=hotel, room_type_id=room_type, rmtypecode=f"R{room_type}",
            rmtypename=name, isstockadjustable="1",
        )  # fmt: skip
        for _ in range(count):
            ordinal = len(rooms)
            closed, staff = ordinal == size - 2, ordinal == size - 1
            room = Room(rows.next_id("rooms"), room_type, capacity, not (closed or staff))
            floor = 2 + ordinal // 12
            rows.add(
                "rooms", id=room.id, hotel_id=hotel, room_type_id=room_type, floor=floor,
                room_number=f"{floor}{ordinal % 12 + 1:02d}", capacity=capacity, smoking=ordinal % 9 == 0,
                for_sale=not closed, is_staff_room=staff, assignment_priority=ordinal % 5 or None,
            )  # fmt: skip
            rooms.append(room)
    return rooms


def _hotel_plans(rows: Rows, hotel: int, plans: list[Plan], opened: date, today: date) -> list[Plan]:
    """A variant of a global plan, a plan of the hotel's own, a closed one; one global plan is excluded."""
    first = rows.next_id("plans_hotel")
    shared = {"hotel_id": hotel, "plan_type_category_id": 1 + hotel % 4}
    rows.add("plans_hotel", id=first, plans_global_id=1, display_order=1, is_active=True, **shared)
    rows.add(
        "plans_hotel", id=first + 1, name="直前割 露天風呂付", description="当館限定",
        plan_type="per_room", color="#1F77B4", display_order=2, is_active=True,
        available_from=today - timedelta(days=90), available_until=today + timedelta(days=270), **shared,
    )  # fmt: skip
    rows.add(
        "plans_hotel",
        id=first + 2,
        plans_global_id=3,
        name="旧・2食付き",
        plan_type="per_person",
        is_active=False,
        **shared,
    )
    variant = (Rate("flat_fee", Decimal(250 * hotel), "no_restriction", None, opened, None),)
    own = (
        Rate("base_rate", Decimal(9350), "no_restriction", None, opened, today + timedelta(days=180)),
        Rate("base_rate", Decimal(9900), "no_restriction", None, today + timedelta(days=181), None),
        Rate("flat_fee", Decimal(1500), "month", json.dumps(["december", "august"]), opened, None),
    )
    _keep_rates(rows, variant, hotel_id=hotel, plans_hotel_id=first)
    _keep_rates(rows, own, hotel_id=hotel, plans_hotel_id=first + 1)
    rows.add("hotel_plan_exclusions", hotel_id=hotel, global_plan_id=4 + hotel % 2)
    for number, (name, kind, yen, tax_type, tax) in enumerate(ADDONS[:2], 1):
        rows.add(
            "addons_hotel", id=rows.next_id("addons_hotel"), hotel_id=hotel, addons_global_id=number,
            name=f"{name}(館内)", addon_type=kind, price=yen + 100, tax_type_id=tax_type, tax_rate=tax,
        )  # fmt: skip
    rows.add("sc_tl_plans", hotel_id=hotel, plans_global_id=1, plan_key="1h", plangroupname="素泊まり")
    base = plans[0]
    return [
        plans[1],
        plans[2],
        Plan(1, first, base.name, base.plan_type, base.rates + variant),
        Plan(None, first + 1, "直前割 露天風呂付", "per_room", own),
    ]


def new_client(rows: Rows, created: date) -> str:
    """Keep one client and return its id."""
    who, client = person(rows.rng), rows.uuid()
    rows.add(
        "clients", id=client, customer_id=rows.next_id("clients"), name=who.name, name_kana=who.kana,
        name_kanji=who.kanji, legal_or_natural_person="legal" if who.legal else "natural",
        gender=rows.rng.choice(("male", "female", "other")), email=who.email, phone=who.phone,
        loyalty_tier=rows.rng.choice(("prospect", "prospect", "newbie", "repeater")), created_at=created,
    )  # fmt: skip
    return client
