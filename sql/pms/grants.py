"""What the writer role may do in the PMS: read what bookings read, write what they write, and what triggers write.

Parents of partitions only are named: their leaves, and those of hotels to come, need no grant.
"""

from collections.abc import Mapping

READS: tuple[str, ...] = ("users", "tax_info", "plans_rates", "reservation_rates", "reservation_payments")
"""Read beside the followed tables."""
WRITES: Mapping[str, str] = {
    "clients": "insert",
    "reservations": "insert, update, delete",
    "reservation_details": "insert, update, delete",
    "reservation_clients": "insert, update, delete",
    "reservation_addons": "insert, update, delete",
    "reservation_rates": "insert, update, delete",
    # Not to change a room, but to lock it: FOR UPDATE asks for the right on any one column.
    "rooms": "update (updated_by)",
    "reservation_parking": "update",
    "logs_reservation": "insert",
    "logs_clients": "insert",
}
"""Table → privileges. The log tables are written by triggers in the name of whoever changes a row."""
