"""What is asked for when a booking is made."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.availability.asked import MOST_GUESTS, MOST_ROOMS
from api.days import Day
from api.fields import ID_MOST, AskedHotel, AskedPlan, UserId
from api.quotes.tokens import QuotedRoom, Stay
from api.request.problems import Fault, Problem
from api.request.routing import Asked
from sql.pms.booking import PaymentTiming
from sql.pms.clients import Guest

_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_SPACE = r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
"""What is drawn as nothing: Unicode's Default_Ignorable_Code_Point, selectors of variants among them."""
_IGNORABLE_BEYOND = re.compile(r"[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
"""Those that take more than four digits, which the dialects of patterns have no common way of writing."""
_LINE = rf"^[^{_CONTROL}]*[^{_CONTROL}{_SPACE}{_IGNORABLE}][^{_CONTROL}]*$"
"""One line in which there is something to be seen."""
MOST_YEN = 10**12
MOST_ROOM_NIGHTS = 400
"""Rooms times nights of a booking."""
MOST_CHANGED = 150
"""Room-nights of a reservation that is there, which are written while somebody may wait for it."""
MOST_CANCELLED = 4 * MOST_CHANGED
"""Room-nights that are cancelled in that time: of each only its state is written."""

ROOMS = "The rooms. Times the nights they come to {} at most."


def _seen(name: str) -> str:
    if not re.search(_LINE, _IGNORABLE_BEYOND.sub("", name)):
        raise ValueError("Nothing is to be seen of it.")
    return name


Name = Annotated[str, Field(max_length=200, pattern=_LINE), AfterValidator(_seen)]
ExternalId = Annotated[
    str,
    Field(
        description="The engine's own id of the booking: once for each booking it makes.",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
    ),
]


class GuestAsked(Asked):
    """A person."""

    name: Name = Field(description="As it is to be shown at the front desk.")
    name_kana: Name | None = Field(None, description="In kana.")
    email: str | None = Field(
        None, description="Address for mail.", max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$"
    )
    phone: str | None = Field(
        None, description="Telephone number.", max_length=40, pattern=r"^[0-9+(][0-9+() .-]*$"
    )

    def guest(self) -> Guest:
        """As the PMS is told."""
        return Guest(self.name, self.name_kana, self.email, self.phone)


class RoomBooked(Asked):
    """One room for all nights."""

    room_type_id: int = Field(description="The room type's id in the PMS.", ge=1, le=ID_MOST)
    plan_key: AskedPlan
    number_of_people: int = Field(description="People in this room.", ge=1, le=MOST_GUESTS)
    guests: list[GuestAsked] = Field([], description="Who stays, as far as known; else the guest who books.")


class BookingAsked(Asked):
    """A booking to be made."""

    hotel_id: AskedHotel
    external_id: ExternalId
    check_in: Day = Field(description="Day of arrival, today or later.")
    check_out: Day = Field(description="Day of departure; at most 400 nights.")
    rooms: list[RoomBooked] = Field(description=ROOMS.format(MOST_ROOM_NIGHTS), min_length=1, max_length=MOST_ROOMS)
    guest: GuestAsked = Field(description="Who books.")
    payment_timing: PaymentTiming = Field("not_set", description="When the guest pays.")
    requests: str | None = Field(
        None, description="What the guest wishes; staff see it as the comment.", max_length=4000
    )
    user_id: UserId | None = Field(None, description="The engine's user who books; he becomes a client of the PMS.")
    expected_total: int | None = Field(
        None, description="Yen with tax that the guest was shown: another sum is refused.", ge=0, le=MOST_YEN
    )
    quote: str | None = Field(None, description="The token of `POST /quotes`, for this stay.", max_length=20_000)
    hold_id: UUID | None = Field(None, description="The hold that becomes this booking.")

    def stay(self) -> Stay:
        """What is to be booked, without people's names."""
        return stay_of(self.hotel_id, self.check_in, self.check_out, self.rooms)


def stay_of(hotel_id: int, check_in: date, check_out: date, rooms: Sequence[RoomBooked]) -> Stay:
    """A stay in these rooms, as quotes know it."""
    quoted = [QuotedRoom(room.room_type_id, room.plan_key, room.number_of_people) for room in rooms]
    return Stay(hotel_id, check_in, check_out, quoted)


def check_guests(rooms: Sequence[RoomBooked]) -> None:
    """Make sure that nobody stays who has no bed.

    Raises:
        Problem: more guests are named than stay in a room.
    """
    faults = [
        Fault(f"/rooms/{n}/guests", f"At most {room.number_of_people} can be named.")
        for n, room in enumerate(rooms)
        if len(room.guests) > room.number_of_people
    ]
    if faults:
        raise Problem("invalid_request", faults=faults)
