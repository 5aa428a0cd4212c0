"""The rooms of a booking as they are, and which of them goes on as which of the rooms that are asked for: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from api.bookings.asked import RoomBooked
from api.request.problems import Problem


@dataclass(frozen=True, slots=True)
class CurrentNight:
    """A night of a room. guests: client → name."""

    plan_key: str | None
    people: int
    guests: Mapping[UUID, str | None]


@dataclass(frozen=True, slots=True)
class CurrentRoom:
    """A room of a booking with all of its nights."""

    room_id: int
    room_type_id: int
    nights: Mapping[date, CurrentNight]

    def is_as(self, asked: RoomBooked) -> bool:
        """Whether every night is as asked."""
        return self.room_type_id == asked.room_type_id and all(
            (night.plan_key, night.people) == (asked.plan_key, asked.number_of_people)
            for night in self.nights.values()
        )


def current_rooms(body: Mapping[str, Any]) -> list[CurrentRoom]:
    """The rooms of a booking's document, without what is cancelled.

    Raises:
        Problem: `needs_staff` where staff have arranged nights one by one.
    """
    nights: dict[tuple[int, int], dict[date, CurrentNight]] = {}
    for night in body["nights"]:
        if night["cancelled"]:
            continue
        if night["room_id"] is None:
            raise Problem("needs_staff", "Not every night has a room.")
        guests = {UUID(guest["client_id"]): guest["name"] for guest in night["guests"]}
        one = CurrentNight(night["plan_key"], night["number_of_people"], guests)
        nights.setdefault((night["room_id"], night["room_type_id"]), {})[date.fromisoformat(night["date"])] = one
    length = (date.fromisoformat(body["check_out"]) - date.fromisoformat(body["check_in"])).days
    if any(len(found) != length for found in nights.values()):
        raise Problem("needs_staff", "The guests change rooms during their stay.")
    return [CurrentRoom(*room, found) for room, found in nights.items()]


def lodging(body: Mapping[str, Any]) -> int:
    """What the nights of a booking's document cost without add-ons, in yen with tax."""
    return sum(
        (night["price"] or 0) * (night["number_of_people"] if night["plan_type"] == "per_person" else 1)
        for night in body["nights"]
        if not night["cancelled"]
    )


def match(
    asked: Sequence[RoomBooked], current: Sequence[CurrentRoom], capacities: Mapping[int, int]
) -> list[CurrentRoom | None]:
    """For each room that is asked for the one that it goes on from, None for a new one.

    What is as asked comes first, then any room of the type that takes so many people, then any of the type.
    """
    left = list(current)
    found: list[CurrentRoom | None] = [None] * len(asked)
    for fits in (
        CurrentRoom.is_as,
        lambda one, room: one.room_type_id == room.room_type_id and takes(one, room, capacities),
        lambda one, room: one.room_type_id == room.room_type_id,
    ):
        for n, room in enumerate(asked):
            chosen = next((one for one in left if fits(one, room)), None)
            if found[n] is None and chosen is not None:
                left.remove(chosen)
                found[n] = chosen
    return found


def takes(one: CurrentRoom, room: RoomBooked, capacities: Mapping[int, int]) -> bool:
    """Whether so many people may stay in the room; who stays there already may."""
    return one.is_as(room) or capacities.get(one.room_id, 0) >= room.number_of_people
