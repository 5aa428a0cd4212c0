"""The documents that messages carry: what a booking engine should know of each thing.

Strict about shape, lenient about what comes from the PMS: where it keeps a word out of a list, the known words are
documented and any other is passed on.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Version = Annotated[
    int,
    Field(
        description="Rises with every difference of this key. Apply what is not older than what you have.",
        gt=0,
    ),
]
HotelId = Annotated[int, Field(description="The hotel's id in the PMS.")]
RoomTypeId = Annotated[int, Field(description="The room type's id in the PMS, unique within its hotel.")]
PlanKey = Annotated[
    str,
    Field(description="`<global plan>h<hotel plan>`, `h<hotel plan>` or `<global plan>h`.", pattern="h"),
]
BookedPlanKey = Annotated[str | None, Field(description="Key of the plan; null without one.")]
BookingId = Annotated[
    str,
    Field(
        description="The uuid of the reservation in the PMS that it was made as. It stays, whatever comes of that."
    ),
]
LocalTime = Annotated[
    str | None, Field(description="When it was entered in the PMS: ISO 8601, the hotel's local time, no zone.")
]
NightDate = Annotated[date, Field(description="The night: the day on which it begins.")]
PlanType = Annotated[
    str | None,
    Field(description="`per_room`, or `per_person`: the price is multiplied by the number of people."),
]


class Shape(BaseModel):
    """Base of all models: frozen, and no field beyond those named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hotel(Shape):
    """A hotel."""

    hotel_id: HotelId
    name: str = Field(description="Name in everyday use.")
    formal_name: str | None = Field(description="Full registered name.")
    facility_type: str | None = Field(description="Kind of house, as the PMS words it.")
    open_date: date | None = Field(description="Day it opened, hotel-local.")
    total_rooms: int | None = Field(description="Number of rooms that are for sale.")
    postal_code: str | None = Field(description="Postal code.")
    address: str | None = Field(description="Postal address.")
    email: str | None = Field(description="Address for mail.")
    phone_number: str | None = Field(description="Telephone number.")
    latitude: float | None = Field(description="Degrees north.")
    longitude: float | None = Field(description="Degrees east.")
    created_at: LocalTime


class RoomType(Shape):
    """A room type of a hotel."""

    hotel_id: HotelId
    room_type_id: RoomTypeId
    name: str = Field(description="Name shown to guests.")
    description: str | None = Field(description="Text shown to guests.")
    rooms: int = Field(description="Number of its rooms that can be sold.", ge=0)
    capacity: int | None = Field(description="Most people that one of these rooms takes; null without rooms.")
    created_at: LocalTime


class Plan(Shape):
    """A plan as one hotel offers it: a plan of its own, a chain's plan it adapts, or a chain's plan as it is."""

    hotel_id: HotelId
    plan_key: PlanKey
    global_plan_id: int | None = Field(description="The chain's plan, if it is or adapts one.")
    hotel_plan_id: int | None = Field(description="The hotel's plan, if it has one of its own.")
    name: str | None = Field(description="Name shown to guests.")
    description: str | None = Field(description="Text shown to guests.")
    plan_type: PlanType
    color: str | None = Field(description="Colour in the PMS's calendar, as CSS writes it.")
    active: bool = Field(description="Whether it is offered at all.")
    available_from: date | None = Field(description="First day it is offered; null: no limit.")
    available_until: date | None = Field(description="Last day it is offered; null: no limit.")
    display_order: int | None = Field(description="Position in lists, small ones first.")


class NightPrice(Shape):
    """What a night costs in these months on these weekdays."""

    price: int = Field(description="Yen, tax included, per room or per person as `plan_type` says.", ge=0)
    net_price: int = Field(description="The same without tax.")
    cancel_fee: int = Field(description="What of `price` is due even where the night is cancelled.", ge=0)
    months: list[int] = Field(description="Months, 1 to 12, that a night may begin in.", min_length=1)
    weekdays: list[str] = Field(description="Days, `monday` to `sunday`, that a night may begin on.", min_length=1)


class Period(Shape):
    """Nights whose price depends on month and weekday alone."""

    from_: date | None = Field(alias="from", description="First night; null: there is none before.")
    until: date | None = Field(description="The day after the last night; null: there is no end.")
    prices: list[NightPrice] = Field(description="A night falls under one of them at most.", min_length=1)


class Rates(Shape):
    """What the nights of a plan cost. A night that no price covers is not sold under it."""

    hotel_id: HotelId
    plan_key: PlanKey
    currency: Literal["JPY"] = Field(description="Always Japanese yen.")
    plan_type: PlanType
    periods: list[Period] = Field(description="In order of time, without overlap; empty: no night is sold.")


class Guest(Shape):
    """Who booked."""

    client_id: str | None = Field(description="The client's uuid in the PMS.")
    name: str | None = Field(description="Name in kanji, else in kana, else in Latin letters.")
    name_kana: str | None = Field(description="Name in kana.")
    email: str | None = Field(description="Address for mail.")
    phone: str | None = Field(description="Telephone number.")


class NightGuest(Shape):
    """Who stays."""

    client_id: str = Field(description="The client's uuid in the PMS.")
    name: str | None = Field(description="Name in kanji, else in kana, else in Latin letters.")


class Addon(Shape):
    """Something sold with a night."""

    name: str | None = Field(description="Name shown to guests.")
    type: str | None = Field(description="`breakfast`, `lunch`, `dinner`, `parking` or `other`.")
    quantity: int = Field(description="How many.")
    price: int | None = Field(description="Yen for each, tax included.")


class Night(Shape):
    """One room for one night."""

    date: NightDate
    room_type_id: int | None = Field(description="The room's type; null while no room is assigned.")
    room_id: int | None = Field(description="The room's id in the PMS; null while none is assigned.")
    room_number: str | None = Field(description="Number on the door.")
    plan_key: BookedPlanKey
    plan_name: str | None = Field(description="Name of the plan when it was booked.")
    plan_type: PlanType
    number_of_people: int = Field(description="People in this room this night.")
    price: int | None = Field(description="Yen, tax included, per room or per person as `plan_type` says.")
    billable: bool | None = Field(description="Whether the hotel charges it.")
    cancelled: bool = Field(
        description="Whether it is cancelled. Nights of a cancelled booking may still be charged and occupied."
    )
    contested: bool = Field(
        description=(
            "Whether another stay has this room this night, too: the hotel has to find another room for one of"
            " them. Told of bookings made through the API."
        )
    )
    guests: list[NightGuest] = Field(description="Who stays. Empty for endpoints without guest data.")
    addons: list[Addon] = Field(description="What was sold with it.")


class Booking(Shape):
    """A booking, whoever took it: the hotel's staff, a travel agency's site or your own."""

    hotel_id: HotelId
    booking_id: BookingId
    reservations: list[str] = Field(
        description=(
            "The uuids of the reservations in the PMS that it is made of. More than one, or another than its own,"
            " only where staff have split or merged a booking made through the API."
        ),
        min_length=1,
    )
    status: str = Field(description="`hold`, `provisory`, `confirmed`, `checked_in`, `checked_out` or `cancelled`.")
    type: str = Field(description="`default` (taken by staff), `ota` or `web`.")
    agent: str | None = Field(description="The channel that sold it.")
    external_id: str | None = Field(description="The channel's own number for it; not always unique.")
    check_in: date = Field(description="Day of arrival.")
    check_in_time: str | None = Field(description="Expected time of arrival, `HH:MM:SS`.")
    check_out: date = Field(description="Day of departure.")
    check_out_time: str | None = Field(description="Expected time of departure, `HH:MM:SS`.")
    number_of_people: int = Field(description="People in all rooms together.")
    payment_timing: str | None = Field(description="`not_set`, `prepaid`, `on-site` or `postpaid`.")
    comment: str | None = Field(description="Staff's note on this booking. Null for endpoints without guest data.")
    guest: Guest | None = Field(description="Who booked. Null for endpoints without guest data.")
    total: int = Field(description="Yen, tax included, for all nights and add-ons that are not cancelled.")
    nights: list[Night] = Field(description="Every room and night, by date, then room.")
