"""To whom an answer may be repeated: pure.

A client's keys and tokens share its Idempotency-Keys, but do not see the same.
"""

from collections.abc import Mapping
from typing import Any

from api.access.scopes import Access


def rights(access: Access, hotel_id: int | None) -> dict[str, Any]:
    """What a caller may see, to be stored with the answer.

    hotel_id: the hotel that the request names, if any; the caller's other hotels do not matter then.
    """
    hotels = None if access.hotels is None else sorted(access.hotels)
    return {
        "hotels": hotels if hotel_id is None else [hotel_id],
        "user_id": access.user_id,
        "guest_data": access.may("guest-data"),
    }


def of_answer(rights: Mapping[str, Any], body: object) -> Mapping[str, Any]:
    """The rights that an answer takes to be read: where it names a hotel, of that one only."""
    hotel_id = body.get("hotel_id") if isinstance(body, Mapping) else None
    return rights if hotel_id is None else {**rights, "hotels": [hotel_id]}


def lacking(mine: Mapping[str, Any], answered: Mapping[str, Any]) -> list[str]:
    """The rights among `answered` that `mine` lacks; both as `rights` returns them."""
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
