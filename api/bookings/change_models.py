"""What is asked for when a booking is changed."""

from uuid import UUID

from pydantic import Field

from api.availability.asked import MOST_ROOMS
from api.bookings.asked import MOST_CHANGED, MOST_ROOM_NIGHTS, MOST_YEN, GuestAsked, RoomBooked, stay_of
from api.days import Day
from api.quotes.tokens import Stay
from api.request.routing import Asked
from sql.pms.booking import PaymentTiming


class ChangeAsked(Asked):
    """How a booking shall be: its days and all of its rooms; what else is left out stays as it is."""

    check_in: Day = Field(description="Day of arrival, today or later.")
    check_out: Day = Field(description="Day of departure; at most 400 nights.")
    rooms: list[RoomBooked] = Field(
        description=(
            f"All rooms. Times the nights they come to {MOST_ROOM_NIGHTS} at most. A change may come to"
            f" {MOST_CHANGED}: each night of a room that is added or comes under another plan is one, one that is"
            " given up or gets other guests a half, one with another room or number of people a quarter. Where no"
            " `guests` are named, those stay who are noted."
        ),
        min_length=1,
        max_length=MOST_ROOMS,
    )
    guest: GuestAsked | None = Field(None, description="Who books; left out: as before.")
    payment_timing: PaymentTiming | None = Field(None, description="When the guest pays; left out: as before.")
    requests: str | None = Field(
        None,
        description="What the guest wishes, instead of the comment as it is; left out: as before.",
        max_length=4000,
    )
    expected_total: int | None = Field(
        None,
        description="Yen with tax that the guest was shown for the changed booking: another sum is refused.",
        ge=0,
        le=MOST_YEN,
    )
    quote: str | None = Field(
        None,
        description=(
            "The token of `POST /quotes`, for the stay as it shall be: add-ons apart, the changed booking costs"
            " what it says, or is refused. Nights that stay keep the price that was agreed: a quote fits where that"
            " is today's, too."
        ),
        max_length=20_000,
    )
    hold_id: UUID | None = Field(
        None,
        description="A hold that ends with this change, whose rooms are then there for it.",
    )

    def stay(self, hotel_id: int) -> Stay:
        """What it shall be, without people's names."""
        return stay_of(hotel_id, self.check_in, self.check_out, self.rooms)
