"""The answers' shapes, as documented."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, RootModel

from api.fields import AsOf, Stale
from api.request.routing import Answer
from outbox.messages.documents import HotelId, NightDate, PlanKey, PlanType, RoomTypeId, Version
from outbox.messages.kinds import Range

Currency = Annotated[Literal["JPY"], Field(description="All amounts are whole yen.")]
OnSale = Annotated[bool, Field(description="Whether it is sold for every night of the stay.")]
Price = Annotated[int, Field(description="Yen with tax, per room or per person as `plan_type` says.")]
NetPrice = Annotated[int, Field(description="The same without tax.")]


class CalendarRoomType(Answer):
    """The nights of a room type. Nights more than 730 days ahead are in no range."""

    room_type_id: RoomTypeId
    version: Version
    ranges: list[Range] = Field(description="Consecutive nights that are alike, as in `availability.updated`.")


class CalendarAnswer(Answer):
    """What is left on each night. A stay needs one room for all of its nights: ask for the stay itself."""

    as_of: AsOf
    stale: Stale
    hotel_id: HotelId
    from_: date = Field(alias="from", description="First night.")
    to: date = Field(description="The day after the last night.")
    room_types: list[CalendarRoomType] = Field(description="By id.")


class RoomReason(Answer):
    """Why a room type cannot be had."""

    code: Literal["no_rooms", "too_small", "sold_out", "no_room_for_all_nights", "not_enough_rooms"] = Field(
        description="`no_rooms`: none is for sale; `too_small`: none takes the largest party; `sold_out`: on"
        " `nights` all are taken; `no_room_for_all_nights`: every night has a room left, but never the same;"
        " `not_enough_rooms`: fewer are free, or large enough, than there are parties."
    )
    nights: list[date] = Field(description="The nights in question; empty where it is all of them.")


class StayRoomType(Answer):
    """A room type for the stay, prices apart."""

    room_type_id: RoomTypeId
    name: str = Field(description="Name shown to guests.")
    capacity: int | None = Field(description="Most people that one of its rooms takes; null without rooms.")
    sellable: int = Field(description="Rooms that can be sold at all.", ge=0)
    free: int = Field(description="Of those, rooms that nobody has on any night of the stay.", ge=0)
    fitting: int = Field(description="Of those, rooms that take the largest party.", ge=0)
    bookable: bool = Field(description="Whether all parties can stay in rooms of this type.")
    reasons: list[RoomReason] = Field(description="Why not; empty where they can.")


class PlanReason(Answer):
    """Why a plan is not sold for the stay."""

    code: Literal["not_on_sale", "no_price"] = Field(
        description="`not_on_sale`: on `nights` the hotel does not offer it; `no_price`: it has no price for them."
    )
    nights: list[date] = Field(description="The nights in question.")


class StayNight(Answer):
    """What a night costs."""

    date: NightDate
    price: Price
    net_price: NetPrice
    total: int = Field(description="Yen with tax for all rooms and guests.")
    net_total: int = Field(description="The same without tax.")


class StayPlan(Answer):
    """What the stay costs under a plan, in whichever rooms: prices do not depend on the room type."""

    plan_key: PlanKey
    plan_type: PlanType
    on_sale: OnSale
    total: int | None = Field(description="Yen with tax for all rooms, guests and nights; null where not on sale.")
    net_total: int | None = Field(description="The same without tax.")
    tax_total: int | None = Field(description="The tax in it.")
    nights: list[StayNight] = Field(description="Every night; empty where not on sale.")
    reasons: list[PlanReason] = Field(description="Why it is not on sale; empty where it is.")


class Party(Answer):
    """A room of a type, and who sleeps there: with a plan key, what `POST /quotes` and `POST /bookings` take."""

    room_type_id: RoomTypeId
    number_of_people: int = Field(description="People in this room.", ge=1)


class StayAnswer(Answer):
    """Whether guests can stay, where and at what price, as it is in the PMS now."""

    as_of: AsOf
    stale: Stale
    hotel_id: HotelId
    check_in: date = Field(description="Day of arrival.")
    check_out: date = Field(description="Day of departure.")
    guests: int = Field(description="People in all rooms together.")
    rooms: int = Field(description="Number of rooms.")
    parties: list[int] = Field(description="People in each room: the guests, spread as evenly as they go.")
    bookable: bool = Field(description="Whether there are rooms for all of them, and a plan that is on sale.")
    suggestion: list[Party] = Field(
        description="Where they can stay: in rooms of one type if that can be, else of several; empty if nowhere."
    )
    currency: Currency
    room_types: list[StayRoomType] = Field(description="By id.")
    plans: list[StayPlan] = Field(description="Every plan that has a price on any of the nights, by key.")


class AvailabilityAnswer(RootModel[CalendarAnswer | StayAnswer]):
    """The calendar or the stay, as asked."""
