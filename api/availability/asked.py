"""What can be asked of a hotel's availability: its calendar, or a stay."""

from typing import Annotated

from pydantic import Field

from api.days import Day
from api.fields import ID_MOST, HotelPath
from api.request.problems import Fault, Problem

MOST_GUESTS = 500
MOST_ROOMS = 50

_CALENDAR = ("from", "to", "room_type_id")
_STAY = ("check_in", "check_out", "guests", "rooms")


class AvailabilityAsked(HotelPath):
    """The calendar by `from` and `to`, or a stay by `check_in`, `check_out` and `guests`."""

    from_: Annotated[Day | None, Field(description="Calendar: the first night, today or later.")] = Field(
        None, alias="from"
    )
    to: Day | None = Field(None, description="Calendar: the day after the last night; at most 400 nights.")
    room_type_id: int | None = Field(None, description="Calendar: only this room type.", ge=1, le=ID_MOST)
    check_in: Day | None = Field(None, description="Stay: day of arrival, today or later.")
    check_out: Day | None = Field(None, description="Stay: day of departure; at most 400 nights.")
    guests: int | None = Field(None, description="Stay: people in all rooms together.", ge=1, le=MOST_GUESTS)
    rooms: int | None = Field(None, description="Stay: number of rooms; 1 unless given.", ge=1, le=MOST_ROOMS)

    def is_stay(self) -> bool:
        """Whether a stay is asked for.

        Raises:
            Problem: parameters of both are mixed, or one is missing.
        """
        given = {"from" if name == "from_" else name for name in self.model_fields_set}
        stay = bool(given & set(_STAY))
        needed, others = (_STAY[:3], _CALENDAR) if stay else (_CALENDAR[:2], _STAY)
        faults = [
            Fault(f"/{name}", "It does not go with the parameters of a stay.", "query")
            for name in others
            if name in given
        ]
        faults += [Fault(f"/{name}", "It is missing.", "query") for name in needed if name not in given]
        if stay and (self.rooms or 1) > (self.guests or self.rooms or 1):
            faults.append(Fault("/rooms", "There are more rooms than guests.", "query"))
        if faults:
            raise Problem("invalid_request", faults=faults)
        return stay
