"""Fields that many requests and answers have."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from api.request.routing import Asked

ID_MOST = 2**31 - 1

AskedHotel = Annotated[int, Field(description="The hotel's id in the PMS.", ge=1, le=ID_MOST)]
AsOf = Annotated[
    AwareDatetime | None,
    Field(
        description="Whatever the PMS had committed by then is in this answer (RFC 3339, UTC); null before the"
        " first read."
    ),
]
Stale = Annotated[
    bool,
    Field(
        description="Whether that was more than 30 seconds ago when this was answered; one that is repeated to its"
        " Idempotency-Key says what it said the first time."
    ),
]


AskedPlan = Annotated[
    str,
    Field(
        description="Key of a plan, as GET /plans/{hotel_id} gives it.",
        pattern=r"^([0-9]{1,9}h([0-9]{1,9})?|h[0-9]{1,9})$",
    ),
]


class Page(Asked):
    """A part of a list."""

    limit: int = Field(100, description="How many at most.", ge=1, le=250)


class HotelPath(Asked):
    """Of one hotel."""

    hotel_id: AskedHotel


UserId = Annotated[
    str,
    Field(
        description="The booking engine's own id of its user.", min_length=1, max_length=200, pattern=r"^[!-~]+$"
    ),
]
