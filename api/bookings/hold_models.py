"""What is asked and answered of holds."""

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.availability.asked import MOST_GUESTS, MOST_ROOMS
from api.bookings.asked import MOST_CHANGED, ROOMS
from api.days import Day
from api.fields import ID_MOST, AskedHotel, AsOf, Stale
from api.request.routing import Answer, Asked
from outbox.messages.documents import HotelId, RoomTypeId


class RoomHeld(Asked):
    """One room for all nights."""

    room_type_id: int = Field(description="The room type's id in the PMS.", ge=1, le=ID_MOST)
    number_of_people: int = Field(description="People in this room.", ge=1, le=MOST_GUESTS)


class HoldAsked(Asked):
    """Rooms to be held."""

    hotel_id: AskedHotel
    check_in: Day = Field(description="Day of arrival, today or later.")
    check_out: Day = Field(description="Day of departure; at most 400 nights.")
    rooms: list[RoomHeld] = Field(description=ROOMS.format(MOST_CHANGED), min_length=1, max_length=MOST_ROOMS)
    minutes: int = Field(10, description="For how long.", ge=1, le=60)


class HoldPath(Asked):
    """One hold."""

    hold_id: UUID = Field(description="The hold's id.")


class RoomHeldAnswer(Answer):
    """A room that is held."""

    room_type_id: RoomTypeId
    number_of_people: int = Field(description="People in this room.")


class HoldAnswer(Answer):
    """A hold. Send its id with `POST /bookings` before it expires."""

    as_of: AsOf
    stale: Stale
    hold_id: UUID = Field(description="The hold's id; the booking that it becomes has the same one.")
    expires_at: AwareDatetime = Field(description="When it ends by itself: RFC 3339, UTC.")
    hotel_id: HotelId
    check_in: date = Field(description="Day of arrival.")
    check_out: date = Field(description="Day of departure.")
    rooms: list[RoomHeldAnswer] = Field(description="As asked.")
