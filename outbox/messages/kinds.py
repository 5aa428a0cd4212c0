"""The messages: every kind of webhook body."""

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, Field, TypeAdapter

from outbox.messages.documents import (
    Booking,
    BookingId,
    Hotel,
    HotelId,
    Plan,
    PlanKey,
    Rates,
    RoomType,
    RoomTypeId,
    Shape,
    Version,
)

T = TypeVar("T", bound=str)
D = TypeVar("D", bound=Shape)


class Message(Shape, Generic[T, D]):
    """The envelope of every message."""

    type: T = Field(description="What kind of message this is.")
    timestamp: AwareDatetime = Field(
        description="When the PMS committed the newest change that this message carries (RFC 3339, UTC)."
    )
    data: D


class HotelState(Hotel):
    """A hotel as of a version."""

    version: Version


class RoomTypeState(RoomType):
    """A room type as of a version."""

    version: Version


class PlanState(Plan):
    """A plan as of a version."""

    version: Version


class RatesState(Rates):
    """A plan's rates as of a version."""

    version: Version


class BookingState(Booking):
    """A booking as of a version."""

    version: Version


class GoneHotel(Shape):
    """A hotel that is no more."""

    hotel_id: HotelId
    version: Version


class GoneRoomType(Shape):
    """A room type that is no more."""

    hotel_id: HotelId
    room_type_id: RoomTypeId
    version: Version


class GonePlan(Shape):
    """A plan that is no more."""

    hotel_id: HotelId
    plan_key: PlanKey
    version: Version


class GoneRates(Shape):
    """The rates of a plan that is no more."""

    hotel_id: HotelId
    plan_key: PlanKey
    version: Version


class GoneBooking(Shape):
    """A booking that is no more."""

    hotel_id: HotelId
    booking_id: BookingId
    version: Version


class Range(Shape):
    """Consecutive nights that are alike."""

    from_: date = Field(alias="from", description="First night.")
    until: date = Field(description="The day after the last night.")
    sellable: int = Field(description="Rooms that can be sold at all.", ge=0)
    occupied: int = Field(description="Sellable rooms that are taken.", ge=0)
    available: int = Field(description="Rooms left: never below 0, also where the hotel is overbooked.", ge=0)


class RoomTypeNights(Shape):
    """What changed of one room type."""

    room_type_id: RoomTypeId
    version: Version
    ranges: list[Range] = Field(description="Only nights that changed since the version you acknowledged.")


class Availability(Shape):
    """What changed of one or more room types of a hotel."""

    hotel_id: HotelId
    room_types: list[RoomTypeNights] = Field(description="One entry per room type.", min_length=1)


class LiveBookings(Shape):
    """The bookings that exist, of those whose id begins with a digit from `first` to `last`."""

    first: str = Field(description="First hex digit that this list covers.", pattern="^[0-9a-f]$")
    last: str = Field(description="Last hex digit that this list covers.", pattern="^[0-9a-f]$")
    check_out_from: date = Field(description="Bookings that end before this day are not listed; keep them.")
    ids: list[str] = Field(description="Ids of the bookings that exist.")


class Snapshot(Shape):
    """What exists in a hotel: what you hold with this version or an older one and is not listed is gone."""

    hotel_id: HotelId
    version: Version
    room_type_ids: list[int] | None = Field(description="Room types that exist; null: not listed in this message.")
    plan_keys: list[str] | None = Field(
        description="Plans that exist, and so do their rates; null: not listed in this message."
    )
    bookings: LiveBookings | None = Field(
        description="Bookings that exist, or a share of them; null: your endpoint is not told of bookings."
    )


class Pulse(Shape):
    """How far things are."""

    as_of: AwareDatetime | None = Field(
        description="Every change that the PMS committed up to this time has been read; null before the first."
    )
    hotel_id: None = Field(description="Always null: it speaks of all hotels.")
    behind: int = Field(
        description="Number of things whose newest version you have not acknowledged; of those that wait in the"
        " queue no more than 10,000 are counted.",
        ge=0,
    )


class Trial(Shape):
    """A test."""

    endpoint: str = Field(description="The name that your endpoint has here.")


class HotelUpdated(Message[Literal["hotel.updated"], HotelState]):
    """A hotel is new or has changed."""


class HotelDeleted(Message[Literal["hotel.deleted"], GoneHotel]):
    """A hotel is no more, with everything in it."""


class RoomTypeUpdated(Message[Literal["room_type.updated"], RoomTypeState]):
    """A room type is new or has changed."""


class RoomTypeDeleted(Message[Literal["room_type.deleted"], GoneRoomType]):
    """A room type is no more, with its availability."""


class PlanUpdated(Message[Literal["plan.updated"], PlanState]):
    """A plan is new or has changed."""


class PlanDeleted(Message[Literal["plan.deleted"], GonePlan]):
    """A plan is no more."""


class RatesUpdated(Message[Literal["rates.updated"], RatesState]):
    """What a plan costs is new or has changed. It is told of every plan, whole and for all dates.

    The price of a night: of the period that holds it, the entry that names its month and its weekday. Whether the
    plan is on sale that day is for the plan to say (`active`, `available_from`, `available_until`).
    """


class RatesDeleted(Message[Literal["rates.deleted"], GoneRates]):
    """A plan is no more, and its rates with it."""


class AvailabilityUpdated(Message[Literal["availability.updated"], Availability]):
    """Nights have changed. Absolute values; yesterday to two years ahead.

    Keep a version per night: a night takes its room type's version from the message that wrote it.
    """


class BookingCreated(Message[Literal["booking.created"], BookingState]):
    """A booking in its first version. It is a full snapshot, as all that follow it are."""


class BookingUpdated(Message[Literal["booking.updated"], BookingState]):
    """A booking in a later version, perhaps the first one that you see."""


class BookingCancelled(Message[Literal["booking.cancelled"], BookingState]):
    """A booking whose status is `cancelled`. It may be revived: then it is updated."""


class BookingDeleted(Message[Literal["booking.deleted"], GoneBooking]):
    """A booking is no more: nothing of it is left in the PMS, or it is none of yours any longer."""


class HotelSnapshot(Message[Literal["hotel.snapshot"], Snapshot]):
    """Closes the first sync of a hotel, and each time that it is sent again.

    Many bookings are spread over several snapshots.
    """


class Heartbeat(Message[Literal["heartbeat"], Pulse]):
    """Says, in quiet times too, that the connection lives and how far behind you are."""


class EndpointTest(Message[Literal["endpoint.test"], Trial]):
    """An operator tries your endpoint out: answer as you would to any message. There is nothing to keep of it."""


KINDS = (
    AvailabilityUpdated,
    BookingCreated,
    BookingUpdated,
    BookingCancelled,
    BookingDeleted,
    HotelUpdated,
    HotelDeleted,
    RoomTypeUpdated,
    RoomTypeDeleted,
    PlanUpdated,
    PlanDeleted,
    RatesUpdated,
    RatesDeleted,
    HotelSnapshot,
    Heartbeat,
    EndpointTest,
)

AnyMessage = Annotated[
    AvailabilityUpdated
    | BookingCreated
    | BookingUpdated
    | BookingCancelled
    | BookingDeleted
    | HotelUpdated
    | HotelDeleted
    | RoomTypeUpdated
    | RoomTypeDeleted
    | PlanUpdated
    | PlanDeleted
    | RatesUpdated
    | RatesDeleted
    | HotelSnapshot
    | Heartbeat
    | EndpointTest,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)


def parse(body: bytes) -> AnyMessage:
    """Read a webhook's body.

    Raises:
        pydantic.ValidationError: it is none of our messages.
    """
    return _ADAPTER.validate_json(body)
