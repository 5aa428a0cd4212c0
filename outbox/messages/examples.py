"""One example of every message, as a hotel in Japan would cause it."""

from typing import Any

_VERSION = 1_795_401_296_123_456
_TIME = "2026-11-23T05:14:56.118204Z"
_BOOKING_ID = "3f6c1d0a-5b7e-4c1f-9a53-0d2f7b8e6a11"
_CLIENT_ID = "9b1f4a52-7c0e-4f0b-8a44-61f1c2d3e4f5"
_NAME = "佐藤 美咲"

HOTEL: dict[str, Any] = {
    "hotel_id": 7,
    "name": "ホテルさくら札幌",
    "formal_name": "株式会社さくらリゾート ホテルさくら札幌",
    "facility_type": "New",
    "open_date": "2019-04-26",
    "total_rooms": 58,
    "postal_code": "060-0042",
    "address": "北海道札幌市中央区大通西4丁目1-2",
    "email": "sapporo@sakura-hotels.example",
    "phone_number": "011-555-0142",
    "latitude": 43.060278,
    "longitude": 141.351944,
    "created_at": "2025-02-03T10:12:45.301",
}

ROOM_TYPE: dict[str, Any] = {
    "hotel_id": 7,
    "room_type_id": 31,
    "name": "スタンダードツイン",
    "description": "22㎡・禁煙・シングルベッド2台",
    "rooms": 14,
    "capacity": 3,
    "created_at": "2025-02-03T10:15:02.77",
}

PLAN: dict[str, Any] = {
    "hotel_id": 7,
    "plan_key": "2h18",
    "global_plan_id": 2,
    "hotel_plan_id": 18,
    "name": "朝食付き",
    "description": "北海道産の食材を使った和洋ビュッフェ",
    "plan_type": "per_person",
    "color": "#F6C344",
    "active": True,
    "available_from": "2026-04-01",
    "available_until": None,
    "display_order": 2,
}

_WEEKEND = ["friday", "saturday"]
_WEEK = ["monday", "tuesday", "wednesday", "thursday", "sunday"]
_YEAR = list(range(1, 13))

RATES: dict[str, Any] = {
    "hotel_id": 7,
    "plan_key": "2h18",
    "currency": "JPY",
    "plan_type": "per_person",
    "periods": [
        {
            "from": "2026-04-01",
            "until": "2026-12-28",
            "prices": [
                {"price": 9800, "net_price": 8910, "cancel_fee": 9800, "months": _YEAR[3:], "weekdays": _WEEK},
                {"price": 11200, "net_price": 10182, "cancel_fee": 9800, "months": _YEAR[3:], "weekdays": _WEEKEND},
            ],
        },
        {
            "from": "2026-12-28",
            "until": None,
            "prices": [
                {
                    "price": 12800,
                    "net_price": 11637,
                    "cancel_fee": 12800,
                    "months": _YEAR,
                    "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
                }
            ],
        },
    ],
}

BOOKING: dict[str, Any] = {
    "hotel_id": 7,
    "booking_id": _BOOKING_ID,
    "reservations": [_BOOKING_ID],
    "status": "confirmed",
    "type": "ota",
    "agent": "楽天トラベル",
    "external_id": "RY2026112300815",
    "check_in": "2026-12-30",
    "check_in_time": "16:00:00",
    "check_out": "2026-12-31",
    "check_out_time": "10:00:00",
    "number_of_people": 2,
    "payment_timing": "prepaid",
    "comment": "到着が22時頃になります。",
    "guest": {
        "client_id": _CLIENT_ID,
        "name": _NAME,
        "name_kana": "サトウ ミサキ",
        "email": "misaki.sato@mail.example",
        "phone": "090-5555-0187",
    },
    "total": 27400,
    "nights": [
        {
            "date": "2026-12-30",
            "room_type_id": 31,
            "room_id": 412,
            "room_number": "504",
            "plan_key": "2h18",
            "plan_name": "朝食付き",
            "plan_type": "per_person",
            "number_of_people": 2,
            "price": 12800,
            "billable": True,
            "cancelled": False,
            "contested": False,
            "guests": [{"client_id": _CLIENT_ID, "name": _NAME}],
            "addons": [{"name": "駐車場", "type": "parking", "quantity": 1, "price": 1800}],
        }
    ],
}

_CANCELLED_NIGHT = BOOKING["nights"][0] | {"billable": False, "cancelled": True}
_CANCELLED = BOOKING | {"status": "cancelled", "total": 0, "nights": [_CANCELLED_NIGHT]}

_RANGES = [
    {"from": "2026-12-28", "until": "2026-12-30", "sellable": 14, "occupied": 11, "available": 3},
    {"from": "2026-12-30", "until": "2027-01-03", "sellable": 14, "occupied": 14, "available": 0},
]

_DATA: dict[str, dict[str, Any]] = {
    "availability.updated": {
        "hotel_id": 7,
        "room_types": [{"room_type_id": 31, "version": _VERSION, "ranges": _RANGES}],
    },
    "booking.created": BOOKING | {"version": _VERSION},
    "booking.updated": BOOKING | {"status": "checked_in", "version": _VERSION + 52_000_000},
    "booking.cancelled": _CANCELLED | {"version": _VERSION + 31_000_000},
    "booking.deleted": {"hotel_id": 7, "booking_id": _BOOKING_ID, "version": _VERSION + 70_000_000},
    "hotel.updated": HOTEL | {"version": _VERSION},
    "hotel.deleted": {"hotel_id": 7, "version": _VERSION + 90_000_000},
    "room_type.updated": ROOM_TYPE | {"version": _VERSION},
    "room_type.deleted": {"hotel_id": 7, "room_type_id": 31, "version": _VERSION + 90_000_000},
    "plan.updated": PLAN | {"version": _VERSION},
    "plan.deleted": {"hotel_id": 7, "plan_key": "2h18", "version": _VERSION + 90_000_000},
    "rates.updated": RATES | {"version": _VERSION},
    "rates.deleted": {"hotel_id": 7, "plan_key": "2h18", "version": _VERSION + 90_000_000},
    "hotel.snapshot": {
        "hotel_id": 7,
        "version": _VERSION,
        "room_type_ids": [31, 32],
        "plan_keys": ["1h", "2h18", "h21"],
        "bookings": {"first": "0", "last": "f", "check_out_from": "2026-10-24", "ids": [_BOOKING_ID]},
    },
    "heartbeat": {"as_of": "2026-11-23T05:14:56.118204Z", "hotel_id": None, "behind": 0},
    "endpoint.test": {"endpoint": "sakura-web"},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    kind: {"type": kind, "timestamp": _TIME, "data": data} for kind, data in _DATA.items()
}
"""A whole message by its type."""
