"""Calendars as callers ask for them, and rooms that are taken."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from api.availability.answers import CalendarAnswer
from tests.support.api import Api

CLIENT = "11111111-1111-1111-1111-111111111111"


async def occupy(api: Api, room_id: int, night: Any) -> None:
    """Give a room of hotel 1 away for one night."""
    reservation = uuid4()
    await api.desk.execute(
        "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
        " created_by, updated_by) values (%s, 1, %s, %s, %s::date + 1, 1, 1, 1)",
        (reservation, CLIENT, night, night),
    )
    await api.desk.execute(
        "insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people, created_by,"
        " updated_by) values (1, %s, %s, %s, 1, 1, 1)",
        (reservation, night, room_id),
    )


async def two_rooms(api: Api, capacities: tuple[int, int] = (2, 2)) -> tuple[int, list[int]]:
    """A new room type of hotel 1 with two rooms."""
    type_id = await api.value("insert into room_types (hotel_id, name) values (1, '試験室') returning id")
    ids = [
        await api.value(
            "insert into rooms (hotel_id, room_type_id, room_number, capacity, created_by, updated_by)"
            " values (1, %s, %s, %s, 1, 1) returning id",
            type_id,
            f"T{n}",
            capacity,
        )
        for n, capacity in enumerate(capacities)
    ]
    await api.project()
    return type_id, ids


async def calendar(api: Api, **wishes: Any) -> dict[str, Any]:
    asked = {"from": api.day(0), "to": api.day(30)} | wishes
    answer = await api.get("/availability/1", **asked)
    assert answer.status == 200, answer.body
    CalendarAnswer.model_validate_json(answer.raw)
    return dict(answer.body)
