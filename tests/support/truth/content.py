"""Hotels, room types and plans."""

from __future__ import annotations

from typing import Any

from psycopg.rows import DictRow

from tests.support.truth.rows import Document, Key, Rows, iso, moment, sold


def hotel(row: DictRow) -> Document:
    """A hotel; its bank account is nobody else's business."""
    plain = (
        "name",
        "formal_name",
        "facility_type",
        "total_rooms",
        "postal_code",
        "address",
        "email",
        "phone_number",
    )
    return {
        "hotel_id": row["id"],
        **{field: row[field] for field in plain},
        "open_date": iso(row["open_date"]),
        "latitude": None if row["latitude"] is None else float(row["latitude"]),
        "longitude": None if row["longitude"] is None else float(row["longitude"]),
        "created_at": moment(row["created_at"]),
    }


def room_types(rows: Rows) -> dict[Key, Document]:
    """Every room type, also one without rooms."""
    documents: dict[Key, Document] = {}
    for row in rows.room_types:
        ours = [
            room
            for room in rows.rooms
            if room["hotel_id"] == row["hotel_id"] and room["room_type_id"] == row["id"] and sold(room)
        ]
        documents["room_type", row["hotel_id"], str(row["id"])] = {
            "hotel_id": row["hotel_id"],
            "room_type_id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "rooms": len(ours),
            "capacity": max((room["capacity"] for room in ours), default=None),
            "created_at": moment(row["created_at"]),
        }
    return documents


def plans(rows: Rows) -> dict[Key, Document]:
    """Every plan of a hotel's own, and every global plan that it neither excludes nor has a variant of."""
    global_plans = {row["id"]: row for row in rows.read("SELECT * FROM plans_global")}
    hotel_plans = rows.read("SELECT * FROM plans_hotel")
    excluded = {
        (row["hotel_id"], row["global_plan_id"]) for row in rows.read("SELECT * FROM hotel_plan_exclusions")
    }
    replaced = {(row["hotel_id"], row["plans_global_id"]) for row in hotel_plans}
    documents: dict[Key, Document] = {}
    for row in hotel_plans:
        plan = _plan(row["hotel_id"], global_plans.get(row["plans_global_id"]), row)
        documents["plan", row["hotel_id"], plan["plan_key"]] = plan
    for hotel in rows.read("SELECT id FROM hotels"):
        for number, row in global_plans.items():
            if (hotel["id"], number) not in excluded | replaced:
                documents["plan", hotel["id"], f"{number}h"] = _plan(hotel["id"], row, None)
    return documents


def _plan(hotel: int, general: DictRow | None, own: DictRow | None) -> Document:
    def first(field: str) -> Any:
        for row in (own, general):
            if row is not None and row[field] is not None:
                return row[field]
        return None

    return {
        "hotel_id": hotel,
        "plan_key": f"{general['id'] if general else ''}h{own['id'] if own else ''}",
        "global_plan_id": general["id"] if general else None,
        "hotel_plan_id": own["id"] if own else None,
        **{field: first(field) for field in ("name", "description", "plan_type", "color")},
        "active": own["is_active"] if own else True,
        "available_from": iso(own["available_from"]) if own else None,
        "available_until": iso(own["available_until"]) if own else None,
        "display_order": own["display_order"] if own else None,
    }
