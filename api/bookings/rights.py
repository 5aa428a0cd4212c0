"""To whom an answer may be repeated: pure.

A client's keys and tokens share its Idempotency-Keys, but do not see the same.
"""

from collections.abc import Mapping
from typing import Any

from api.access.scopes import Access


def rights(access: Access, hotel_id: int | None) -> dict[str, Any]:
    """What somebody may see, to be stored with what he is answered.

    hotel_id: the hotel that he asks about, where he names it: what else he may know of does not matter then.
    """
    hotels = None if access.hotels is None else sorted(access.hotels)
    return {
        "hotels": hotels if hotel_id is None else [hotel_id],
        "user_id": access.user_id,
        "guest_data": access.may("guest-data"),
    }


def of_answer(rights: Mapping[str, Any], body: object) -> Mapping[str, Any]:
    """What is to be seen by who is told an answer: of the hotel that it names no more than that one."""
    hotel_id = body.get("hotel_id") if isinstance(body, Mapping) else None
    return rights if hotel_id is None else {**rights, "hotels": [hotel_id]}


def lacking(mine: Mapping[str, Any], answered: Mapping[str, Any]) -> list[str]:
    """What I may see less of than who was answered; both as `rights` has them."""
    found = []
    if mine["hotels"] is not None and (
        answered["hotels"] is None or not set(answered["hotels"]) <= set(mine["hotels"])
    ):
        found.append("hotels")
    if mine["user_id"] not in {None, answered["user_id"]}:
        found.append("user_id")
    if answered["guest_data"] and not mine["guest_data"]:
        found.append("guest-data")
    return found
