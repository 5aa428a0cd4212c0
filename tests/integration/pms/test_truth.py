"""The oracle's answers, against documents written by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.pms.empty import GUEST, LATIN, OTHER, STAY, TODAY, Connection
from tests.support.truth import truth


def reserve(conn: Connection, number: str = STAY, *, check_out: str = "2026-12-03", **columns: object) -> None:
    """Insert a reservation from 1 December, without nights."""
    row = {
        "id": number,
        "hotel_id": 1,
        "reservation_client_id": GUEST,
        "check_in": "2026-12-01",
        "check_out": check_out,
        "number_of_people": 2,
        "status": "confirmed",
        **columns,
    }
    names = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    conn.execute(f"INSERT INTO reservations ({names}) VALUES ({places})".encode(), list(row.values()))


def stay(conn: Connection, night: str, room: int | None, number: str = STAY, **columns: object) -> str:
    """Insert a night and return its id."""
    row = {
        "hotel_id": 1,
        "reservation_id": number,
        "date": night,
        "room_id": room,
        "number_of_people": 2,
        "price": 8000,
        **columns,
    }
    names = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    inserted = conn.execute(
        f"INSERT INTO reservation_details ({names}) VALUES ({places}) RETURNING id::text".encode(),
        list(row.values()),
    ).fetchone()
    assert inserted is not None
    return str(inserted[0])


def booking(conn: Connection, number: str = STAY) -> dict[str, Any]:
    return truth(conn, TODAY).documents["booking", 1, number]


def test_a_booking_in_full(conn: Connection) -> None:
    reserve(
        conn, comment="窓側", agent="楽天トラベル", type="ota", ota_reservation_id="RY1", payment_timing="prepaid"
    )
    second = stay(
        conn, "2026-12-02", 3, plans_global_id=2, plan_name="朝食付き", plan_type="per_person", billable=True
    )
    stay(conn, "2026-12-01", None, price=None)
    stay(conn, "2026-12-01", 3, cancelled=OTHER)
    for guest in (LATIN, GUEST):
        conn.execute(
            "INSERT INTO reservation_clients (hotel_id, reservation_details_id, client_id) VALUES (1, %s, %s)",
            (second, guest),
        )
    for name, kind, quantity, price in (("駐車場", "parking", 1, "800"), ("朝食", "breakfast", 2, "0.5")):
        conn.execute(
            """INSERT INTO reservation_addons (hotel_id, reservation_detail_id, addon_name, addon_type, quantity,
                price)
            VALUES (1, %s, %s, %s, %s, %s)""",
            (second, name, kind, quantity, price),
        )
    plain: dict[str, Any] = {
        "plan_key": None,
        "plan_name": None,
        "plan_type": "per_room",
        "number_of_people": 2,
        "guests": [],
    }
    plain |= {"addons": [], "billable": False, "contested": False}
    assert booking(conn) == {
        "hotel_id": 1,
        "booking_id": STAY,
        "reservations": [STAY],
        "status": "confirmed",
        "type": "ota",
        "agent": "楽天トラベル",
        "external_id": "RY1",
        "check_in": "2026-12-01",
        "check_in_time": "16:00:00",
        "check_out": "2026-12-03",
        "check_out_time": "10:00:00",
        "number_of_people": 2,
        "payment_timing": "prepaid",
        "comment": "窓側",
        "guest": {
            "client_id": GUEST,
            "name": "佐藤 葵",
            "name_kana": "サトウ アオイ",
            "email": "aoi@example.jp",
            "phone": "090",
        },
        "total": 8000 * 2 + 800 + 1,
        "nights": [
            {
                **plain, "date": "2026-12-01", "room_type_id": 1, "room_id": 3, "room_number": "203",
                "price": 8000, "cancelled": True,
            },
            {
                **plain, "date": "2026-12-01", "room_type_id": None, "room_id": None, "room_number": None,
                "price": None, "cancelled": False,
            },
            {
                "date": "2026-12-02",
                "room_type_id": 1,
                "room_id": 3,
                "room_number": "203",
                "plan_key": "2h",
                "plan_name": "朝食付き",
                "plan_type": "per_person",
                "number_of_people": 2,
                "price": 8000,
                "billable": True,
                "cancelled": False,
                "contested": False,
                "guests": [{"client_id": LATIN, "name": "Emma"}, {"client_id": GUEST, "name": "佐藤 葵"}],
                "addons": [
                    {"name": "朝食", "type": "breakfast", "quantity": 2, "price": 1},
                    {"name": "駐車場", "type": "parking", "quantity": 1, "price": 800},
                ],
            },
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "total"),
    [({"price": "100.5"}, 101), ({"price": "-100.5"}, -101), ({"price": None}, 0), ({"cancelled": OTHER}, 0)],
)
def test_totals_round_halves_away_from_zero_and_leave_cancelled_nights_out(
    conn: Connection, columns: dict[str, Any], total: int
) -> None:
    reserve(conn)
    stay(conn, "2026-12-01", 3, **columns)
    assert booking(conn)["total"] == total


def test_a_plan_key_names_both_plans(conn: Connection) -> None:
    reserve(conn)
    stay(conn, "2026-12-01", 3, plans_global_id=1, plans_hotel_id=1)
    stay(conn, "2026-12-02", 3, plans_hotel_id=2)
    assert [night["plan_key"] for night in booking(conn)["nights"]] == ["1h1", "h2"]


@pytest.mark.parametrize("columns", [{"status": "block"}, {"type": "employee"}])
def test_blocks_and_employee_stays_are_no_bookings_but_occupy(conn: Connection, columns: dict[str, Any]) -> None:
    reserve(conn, **columns)
    stay(conn, "2026-12-01", 3)
    found = truth(conn, TODAY)
    assert not [key for key in found.documents if key[0] == "booking"]
    assert found.nights[1, 1, "2026-12-01"] == (18, 1)
    assert found.nights[1, 1, "2026-12-02"] == (18, 0)


def test_bookings_are_kept_for_thirty_days(conn: Connection) -> None:
    long_ago: dict[str, Any] = {"check_in": TODAY - timedelta(days=40)}
    reserve(conn, check_out=str(TODAY - timedelta(days=30)), **long_ago)
    reserve(conn, OTHER, check_out=str(TODAY - timedelta(days=31)), **long_ago)
    assert [key[2] for key in truth(conn, TODAY).documents if key[0] == "booking"] == [STAY]


def test_a_charged_night_of_a_cancelled_booking_occupies(conn: Connection) -> None:
    reserve(conn, status="cancelled")
    stay(conn, "2026-12-01", 3, cancelled=OTHER)
    stay(conn, "2026-12-02", 3)
    found = truth(conn, TODAY)
    assert found.documents["booking", 1, STAY]["status"] == "cancelled"
    assert [found.nights[1, 1, day][1] for day in ("2026-12-01", "2026-12-02")] == [0, 1]


def occupancy(conn: Connection, statement: str) -> list[tuple[int, int]]:
    """(sellable, occupied) of 1 December for the room types 1 and 2, with room 3 taken, before and after."""
    reserve(conn)
    stay(conn, "2026-12-01", 3)
    before = truth(conn, TODAY)
    conn.execute(statement.encode())
    after = truth(conn, TODAY)
    return [found.nights[1, kind, "2026-12-01"] for kind in (1, 2) for found in (before, after)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE rooms SET for_sale = false WHERE id = 3", [(18, 1), (17, 0), (15, 0), (15, 0)]),
        ("UPDATE rooms SET is_staff_room = true WHERE id = 3", [(18, 1), (17, 0), (15, 0), (15, 0)]),
        ("UPDATE rooms SET for_sale = false WHERE id = 4", [(18, 1), (17, 1), (15, 0), (15, 0)]),
        ("UPDATE rooms SET room_type_id = 2 WHERE id = 3", [(18, 1), (17, 0), (15, 0), (16, 1)]),
        ("UPDATE reservation_details SET cancelled = id", [(18, 1), (18, 0), (15, 0), (15, 0)]),
        ("UPDATE reservation_details SET room_id = NULL", [(18, 1), (18, 0), (15, 0), (15, 0)]),
        ("UPDATE reservations SET status = 'cancelled'", [(18, 1), (18, 1), (15, 0), (15, 0)]),
        ("DELETE FROM clients WHERE name = 'Sato Aoi'", [(18, 1), (18, 0), (15, 0), (15, 0)]),
    ],
)
def test_what_changes_availability(conn: Connection, statement: str, expected: list[tuple[int, int]]) -> None:
    assert occupancy(conn, statement) == expected


def test_a_room_taken_twice_is_occupied_once(conn: Connection) -> None:
    reserve(conn)
    reserve(conn, OTHER)
    stay(conn, "2026-12-01", 3)
    stay(conn, "2026-12-01", 3, OTHER)
    stay(conn, "2026-12-01", 4, OTHER)
    assert truth(conn, TODAY).nights[1, 1, "2026-12-01"] == (18, 2)


def test_every_room_type_has_every_night_of_the_horizon(conn: Connection) -> None:
    conn.execute("INSERT INTO room_types (hotel_id, name, updated_by) VALUES (1, '空', 1)")
    found = truth(conn, TODAY)
    empty = {night for night in found.nights if night[1] == 7}
    assert len(empty) == 732
    assert min(empty)[2] == "2026-11-22"
    assert max(empty)[2] == "2028-11-22"
    assert found.nights[1, 7, "2026-11-23"] == (0, 0)
    assert found.documents["room_type", 1, "7"]["capacity"] is None
