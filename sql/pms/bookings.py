"""The queries of booking documents, put together: others build on them."""

from psycopg.sql import SQL

from sql.queries import fill, load

_QUERIES = load("pms/bookings.sql")

HELD = _QUERIES["held"]
"""The ids of a booking's nights, for a `link`. Parameter: agent."""
PARTS = _QUERIES["parts"]
"""The reservations of a booking, for a `link` and its nights as `ours.nights`."""
_EITHER = SQL("{one} union all {other}")
FRESH = fill(
    _QUERIES["fresh"],
    link=fill(_QUERIES["link"], held=HELD),
    reservation=fill(_EITHER, one=_QUERIES["alone"], other=fill(_QUERIES["made"], parts=PARTS)),
    nights=fill(_EITHER, one=_QUERIES["alone_nights"], other=_QUERIES["made_nights"]),
    people=_QUERIES["made_people"],
)
"""A row for every key of %(hotels)s and %(ids)s. Parameter: agent."""
FRESH_ALONE = fill(
    _QUERIES["fresh"],
    link=_QUERIES["no_link"],
    reservation=_QUERIES["alone"],
    nights=_QUERIES["alone_nights"],
    people=SQL("null::int"),
)
"""The same where none of the keys is a booking that came to us."""
