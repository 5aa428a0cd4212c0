"""Content: hotels, room types and plans, from the documents."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from api.fields import AsOf, HotelPath, Stale
from api.freshness import Fresh
from api.request.etags import tag
from api.request.routing import Answer, Call, Link, Nothing, Reply, Returns, Route
from outbox.messages.documents import Hotel, HotelId, LocalTime, PlanKey, PlanType
from outbox.messages.examples import HOTEL, PLAN, ROOM_TYPE
from sql import content

_AS_OF = "2026-11-23T05:14:56.118204Z"


class HotelListed(Hotel, Answer):
    """A hotel, as messages tell it."""


class HotelAnswer(HotelListed):
    """A hotel, and how fresh that is."""

    as_of: AsOf
    stale: Stale


class HotelsAnswer(Answer):
    """The hotels that the key knows, by id."""

    hotels: list[HotelListed] = Field(description="By id.")
    as_of: AsOf
    stale: Stale


class RoomTypeListed(Answer):
    """A room type."""

    id: Annotated[int, Field(description="The room type's id in the PMS: `room_type_id` everywhere else.")]
    name: str = Field(description="Name shown to guests.")
    description: str | None = Field(description="Text shown to guests.")
    hotel_id: HotelId
    rooms: int = Field(description="Number of its rooms that can be sold.", ge=0)
    capacity: int | None = Field(description="Most people that one of these rooms takes; null without rooms.")
    created_at: LocalTime


class RoomTypesAnswer(Answer):
    """A hotel's room types, by name."""

    hotel_id: HotelId
    room_types: list[RoomTypeListed] = Field(description="By name.")
    as_of: AsOf
    stale: Stale


class PlanListed(Answer):
    """A plan that is on sale today."""

    global_plan_id: int | None = Field(description="The chain's plan, if it is or adapts one.")
    hotel_plan_id: int | None = Field(description="The hotel's plan, if it has one of its own.")
    plan_key: PlanKey
    name: str | None = Field(description="Name shown to guests.")
    description: str | None = Field(description="Text shown to guests.")
    plan_type: PlanType
    color: str | None = Field(description="Colour in the PMS's calendar, as CSS writes it.")
    available_from: date | None = Field(description="First day it is offered, hotel-local; null: no limit.")
    available_until: date | None = Field(description="Last day it is offered, hotel-local; null: no limit.")
    display_order: int | None = Field(description="Position in lists, small ones first.")


class PlansAnswer(Answer):
    """The plans that a hotel offers today, in its own order."""

    hotel_id: HotelId
    plans: list[PlanListed] = Field(description="In the hotel's own order.")
    as_of: AsOf
    stale: Stale


async def list_hotels(call: Call[Nothing, Nothing]) -> Reply:
    """All hotels that the key knows."""
    fresh = await call.context.freshness.now()
    async with call.context.connection() as conn:
        hotels = await content.hotels(conn, call.access.hotels)
    return _reply(HotelsAnswer, fresh, hotels=hotels)


async def read_hotel(call: Call[HotelPath, Nothing]) -> Reply:
    """One hotel."""
    fresh = await call.context.freshness.now(call.params.hotel_id)
    async with call.context.connection() as conn:
        found = await content.hotels(conn, [call.params.hotel_id])
    return _reply(HotelAnswer, fresh, **found[0])


async def list_room_types(call: Call[HotelPath, Nothing]) -> Reply:
    """A hotel's room types."""
    fresh = await call.context.freshness.now(call.params.hotel_id)
    async with call.context.connection() as conn:
        rows = await content.room_types(conn, call.params.hotel_id)
    return _reply(
        RoomTypesAnswer, fresh, hotel_id=call.params.hotel_id, room_types=[_room_type(row) for row in rows]
    )


async def list_plans(call: Call[HotelPath, Nothing]) -> Reply:
    """A hotel's plans that are on sale today."""
    fresh = await call.context.freshness.now(call.params.hotel_id)
    async with call.context.connection() as conn:
        rows = await content.plans(conn, call.params.hotel_id, call.context.options.time_zone)
    return _reply(PlansAnswer, fresh, hotel_id=call.params.hotel_id, plans=[_plan(row) for row in rows])


def _room_type(body: dict[str, Any]) -> dict[str, Any]:
    return {("id" if name == "room_type_id" else name): value for name, value in body.items()}


def _plan(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"hotel_id", "active"}}


def _reply(model: type[Answer], fresh: Fresh, **said: Any) -> Reply:
    """An answer whose tag stays the same while only time passes."""
    answer = model.model_validate(said | {"as_of": fresh.as_of, "stale": fresh.stale})
    return Reply(answer, etag=tag(said, fresh.stale))


def _example(**said: Any) -> dict[str, Any]:
    return said | {"as_of": _AS_OF, "stale": False}


_FIRST = {"path.hotel_id": "$response.body#/hotels/0/hotel_id"}
_LINKS = {
    "hotel": Link("readHotel", "Each of them.", _FIRST),
    "room_types": Link("listRoomTypes", "Its room types.", _FIRST),
    "plans": Link("listPlans", "Its plans.", _FIRST),
}

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/hotels",
        handler=list_hotels,
        name="listHotels",
        tag="Content",
        summary="List the hotels that the key knows",
        returns={200: Returns("The hotels, by id.", HotelsAnswer, _example(hotels=[HOTEL]))},
        links={200: _LINKS},
    ),
    Route(
        method="GET",
        path="/hotels/{hotel_id}",
        handler=read_hotel,
        name="readHotel",
        tag="Content",
        summary="Read one hotel",
        params=HotelPath,
        returns={200: Returns("The hotel.", HotelAnswer, _example(**HOTEL))},
    ),
    Route(
        method="GET",
        path="/room-types/{hotel_id}",
        handler=list_room_types,
        name="listRoomTypes",
        tag="Content",
        summary="List a hotel's room types",
        params=HotelPath,
        returns={
            200: Returns(
                "The room types, by name.",
                RoomTypesAnswer,
                _example(hotel_id=7, room_types=[_room_type(ROOM_TYPE)]),
            )
        },
    ),
    Route(
        method="GET",
        path="/plans/{hotel_id}",
        handler=list_plans,
        name="listPlans",
        tag="Content",
        summary="List the plans that a hotel offers today",
        params=HotelPath,
        returns={
            200: Returns("The plans, in the hotel's order.", PlansAnswer, _example(hotel_id=7, plans=[_plan(PLAN)]))
        },
    ),
)
