"""The queries of booking documents, put together: others build on them."""

from sql.queries import fill, load

_QUERIES = load("pms/bookings.sql")

HELD = _QUERIES["held"]
"""The ids of a booking's nights, for a `link`. Parameter: agent."""
PARTS = _QUERIES["parts"]
"""The reservations of a booking, for a `link` and its nights as `ours.nights`."""
FRESH = fill(_QUERIES["fresh"], held=HELD, parts=PARTS)
"""A row for every key of %(hotels)s and %(ids)s. Parameter: agent."""
