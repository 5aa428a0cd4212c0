"""What the writer role may do in the PMS: read what bookings read, write what they write, and what triggers write.

Parents of partitions only are named: their leaves, and those of hotels to come, need no grant.
"""

from collections.abc import Mapping

WRITER: Mapping[str, str] = {
    "users": "select (id)",
    "clients": "insert",
    "reservations": "insert, update, delete",
    "reservation_details": "insert, update, delete",
    "reservation_clients": "insert, update, delete",
    "reservation_addons": "insert, update, delete",
    "reservation_rates": "select, insert, update, delete",
    "reservation_payments": "select",
    "reservation_parking": "select, update",
    # Not to change a room, but to lock it: FOR UPDATE asks for the right on any one column.
    "rooms": "update (updated_by)",
    "logs_reservation": "insert",
    "logs_clients": "insert",
}
"""Table → privileges beside reading the followed tables. Triggers write the log tables as whoever changes a row."""


def single() -> list[tuple[str, str]]:
    """Each (table, privilege) of its own, without the column it is for."""
    return [(table, privilege.split()[0]) for table, allowed in WRITER.items() for privilege in allowed.split(", ")]
