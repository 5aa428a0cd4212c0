"""The queries of booking documents, put together: others build on them."""

from collections.abc import Collection
from typing import NamedTuple

from psycopg.sql import SQL, Composable

from sql.queries import fill, load

_QUERIES = load("pms/bookings.sql")

HELD = _QUERIES["held"]
"""The ids of a booking's nights, for a `link`. Parameter: agent."""
PARTS = _QUERIES["parts"]
"""The reservations of a booking, for a `link` and its nights as `ours.nights`."""


class Keyed(NamedTuple):
    """A query about keys, of %(hotels)s and mostly %(ids)s, and the same where all are of one hotel, %(hotel)s.

    Every partition that it might look into is opened when it starts, which for few keys is most of its cost: of one
    hotel, those of all others are known to be of no use before that.
    """

    several: SQL
    one: SQL

    def of(self, keys: Collection[tuple[int, str]]) -> SQL:
        """The one for these keys."""
        return self.one if len({hotel_id for hotel_id, _ in keys}) == 1 else self.several


def _keyed(name: str, **parts: Composable) -> Keyed:
    several, one = (
        fill(_QUERIES[name], wanted=_QUERIES[wanted], **parts) for wanted in ("wanted", "wanted_of_one")
    )
    return Keyed(several, one)


_EITHER = SQL("{one} union all {other}")
FRESH = _keyed(
    "fresh",
    link=fill(_QUERIES["link"], held=HELD),
    reservation=fill(_EITHER, one=_QUERIES["alone"], other=fill(_QUERIES["made"], parts=PARTS)),
    nights=fill(_EITHER, one=_QUERIES["alone_nights"], other=_QUERIES["made_nights"]),
    people=_QUERIES["made_people"],
)
"""A row for every key. Parameter: agent."""
FRESH_ALONE = _keyed(
    "fresh",
    link=_QUERIES["no_link"],
    reservation=_QUERIES["alone"],
    nights=_QUERIES["alone_nights"],
    people=SQL("null::int"),
)
"""The same where none of the keys is a booking that came to us."""
FRESH_BORN = _keyed(
    "fresh",
    link=_QUERIES["no_link"],
    reservation=load("pms/born.sql")["reservation"],
    nights=_QUERIES["alone_nights"],
    people=SQL("null::int"),
)
"""The same where each is being written by this very transaction, as a reservation of ours."""
ELIGIBLE = _keyed("eligible")
"""The keys of those that are bookings within the window. Parameter: today."""
POSITIONS = _keyed("positions")
"""What each is computed from. Parameter: agent."""
