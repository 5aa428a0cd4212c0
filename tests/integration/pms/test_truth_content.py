"""The oracle's answers about plans, rates and the hotel itself."""

from __future__ import annotations

from typing import Any

from tests.integration.pms.empty import TODAY, Connection
from tests.support.truth import Truth, truth


def plans(found: Truth) -> dict[str, tuple[Any, ...]]:
    return {
        key[2]: (body["name"], body["plan_type"], body["active"])
        for key, body in found.documents.items()
        if key[0] == "plan"
    }


def test_plans_of_a_hotel(conn: Connection) -> None:
    assert plans(truth(conn, TODAY)) == {
        "1h1": ("素泊まり", "per_room", True),
        "h2": ("直前割 露天風呂付", "per_room", True),
        "3h3": ("旧・2食付き", "per_person", False),
        "2h": ("朝食付き", "per_person", True),
        "4h": ("連泊割", "per_room", True),
    }
    conn.execute("DELETE FROM hotel_plan_exclusions")
    conn.execute("INSERT INTO hotel_plan_exclusions (hotel_id, global_plan_id) VALUES (1, 2), (1, 3)")
    assert plans(truth(conn, TODAY)).keys() == {"1h1", "h2", "3h3", "4h", "5h"}


def test_rates_by_night(conn: Connection) -> None:
    told = truth(conn, TODAY).documents["rates", 1, "h2"]
    assert {name: told[name] for name in ("hotel_id", "plan_key", "currency", "plan_type")} == {
        "hotel_id": 1,
        "plan_key": "h2",
        "currency": "JPY",
        "plan_type": "per_room",
    }
    nights = told["nights"]
    # 9,350 and, in August and December, a fee of 1,500; 9,900 from 180 days on.
    assert nights["2026-11-30"] == [9300, 8455, 9300]
    assert nights["2026-12-01"] == [10800, 9819, 9350]
    assert [nights[day][0] for day in ("2027-05-22", "2027-05-23", "2027-08-31", "2399-12-31")] == [
        9300,
        9900,
        11400,
        11400,
    ]
    assert nights["2000-02-29"] is nights["2024-01-01"] is None
    conn.execute("UPDATE plans_rates SET adjustment_value = 0 WHERE adjustment_type = 'base_rate'")
    assert set(map(str, truth(conn, TODAY).documents["rates", 1, "h2"]["nights"].values())) == {"None"}


def test_every_plan_has_rates(conn: Connection) -> None:
    found = truth(conn, TODAY)
    kinds = [{key[1:] for key in found.documents if key[0] == kind} for kind in ("plan", "rates")]
    assert kinds[0] == kinds[1]


def test_a_hotel(conn: Connection) -> None:
    conn.execute("UPDATE hotels SET created_at = '2026-01-02 03:04:05.120', longitude = NULL")
    hotel = truth(conn, TODAY).documents["hotel", 1, ""]
    assert hotel == {
        "hotel_id": 1,
        "name": "東雲ホテル",
        "formal_name": "株式会社東雲",
        "facility_type": "New",
        "open_date": "2023-01-02",
        "total_rooms": 59,
        "postal_code": "140-0012",
        "address": "東京都品川区東雲台1-2-3",
        "email": "front1@example.jp",
        "phone_number": "03-5555-0001",
        "latitude": 35.620312,
        "longitude": None,
        "created_at": "2026-01-02T03:04:05.12",
    }
