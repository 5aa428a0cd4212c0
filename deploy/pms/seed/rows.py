"""The rows of a seed, collected in memory, then copied in."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import psycopg
from psycopg import sql

COLUMNS: dict[str, tuple[str, ...]] = {
    "users": ("id", "email", "name", "created_by", "updated_by"),
    "clients": (
        "id", "customer_id", "name", "name_kana", "name_kanji", "legal_or_natural_person", "gender", "email",
        "phone", "loyalty_tier", "comment", "created_at", "created_by", "updated_by",
    ),
    "hotels": (
        "id", "name", "formal_name", "facility_type", "open_date", "total_rooms", "postal_code", "address",
        "email", "phone_number", "latitude", "longitude", "bank_name", "sort_order", "created_at",
        "created_by", "updated_by",
    ),
    "room_types": ("id", "hotel_id", "name", "description", "created_at", "created_by", "updated_by"),
    "rooms": (
        "id", "hotel_id", "room_type_id", "floor", "room_number", "capacity", "smoking", "for_sale",
        "is_staff_room", "assignment_priority", "created_by", "updated_by",
    ),
    "plans_global": ("id", "name", "description", "plan_type", "color", "created_by", "updated_by"),
    "plans_hotel": (
        "id", "hotel_id", "plans_global_id", "name", "description", "plan_type", "color",
        "plan_type_category_id", "display_order", "is_active", "available_from", "available_until",
        "created_by", "updated_by",
    ),
    "hotel_plan_exclusions": ("hotel_id", "global_plan_id"),
    "plans_rates": (
        "id", "hotel_id", "plans_global_id", "plans_hotel_id", "adjustment_type", "include_in_cancel_fee",
        "adjustment_value", "tax_type_id", "tax_rate", "condition_type", "condition_value", "date_start",
        "date_end", "created_by", "updated_by",
    ),
    "addons_global": (
        "id", "name", "addon_type", "price", "tax_type_id", "tax_rate", "created_by", "updated_by",
    ),
    "addons_hotel": (
        "id", "hotel_id", "addons_global_id", "name", "addon_type", "price", "tax_type_id", "tax_rate",
        "created_by", "updated_by",
    ),
    "plan_addons": (
        "id", "hotel_id", "plans_global_id", "plans_hotel_id", "addons_global_id", "addon_type", "price",
        "tax_type_id", "tax_rate", "created_by", "updated_by",
    ),
    "reservations": (
        "id", "hotel_id", "reservation_client_id", "check_in", "check_in_time", "check_out",
        "number_of_people", "status", "type", "agent", "ota_reservation_id", "payment_timing", "comment",
        "has_important_comment", "created_at", "created_by", "updated_by",
    ),
    "reservation_details": (
        "id", "hotel_id", "reservation_id", "date", "room_id", "plans_global_id", "plans_hotel_id",
        "plan_name", "plan_type", "number_of_people", "price", "cancelled",
        "billable", "is_accommodation", "created_at", "created_by", "updated_by",
    ),
    "reservation_clients": (
        "id", "hotel_id", "reservation_details_id", "client_id", "created_by", "updated_by",
    ),
    "reservation_addons": (
        "id", "hotel_id", "reservation_detail_id", "addons_global_id", "addon_name", "addon_type", "quantity",
        "price", "tax_type_id", "tax_rate", "sales_category", "created_by", "updated_by",
    ),
    "reservation_rates": (
        "id", "hotel_id", "reservation_details_id", "adjustment_type", "adjustment_value",
        "include_in_cancel_fee", "tax_type_id", "tax_rate", "price", "created_by", "updated_by",
    ),
    "reservation_payments": (
        "id", "hotel_id", "reservation_id", "date", "room_id", "client_id", "payment_type_id", "value",
        "created_by", "updated_by",
    ),
    "reservation_parking": (
        "hotel_id", "reservation_details_id", "date", "price", "created_by", "updated_by",
    ),
    "invoices": ("id", "hotel_id", "date", "client_id", "invoice_number", "created_by"),
    "sc_tl_rooms": ("hotel_id", "room_type_id", "rmtypecode", "rmtypename", "isstockadjustable"),
    "sc_tl_plans": ("hotel_id", "plans_global_id", "plans_hotel_id", "plan_key", "plangroupname"),
    "acc_yayoi_data": ("hotel_id", "transaction_date", "debit_amount", "credit_amount", "summary"),
}  # fmt: skip
"""What a seed fills, in the order of the foreign keys."""

SERIAL = (
    "users", "hotels", "room_types", "rooms", "plans_global", "plans_hotel", "plans_rates", "addons_global",
    "addons_hotel", "plan_addons",
)  # fmt: skip


class Rows:
    """Rows by table, and the one source of chance and of ids that they are made from."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._rows: dict[str, list[Sequence[object]]] = {table: [] for table in COLUMNS}

    def add(self, table: str, **values: object) -> None:
        """Keep one row; columns that are not named get NULL.

        Core tables get `created_by` and `updated_by` 1, the system user, unless named.
        """
        columns = COLUMNS[table]
        if unknown := values.keys() - set(columns):
            raise KeyError(f"{table} has no seeded column {', '.join(sorted(unknown))}: add it to COLUMNS")
        values.setdefault("created_by", 1)
        values.setdefault("updated_by", 1)
        self._rows[table].append([values.get(column) for column in columns])

    def next_id(self, table: str) -> int:
        """The id that the table's sequence would give next."""
        return len(self._rows[table]) + 1

    def uuid(self) -> str:
        """A random (version 4) id, as text."""
        digits = f"{self.rng.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def load(self, conn: psycopg.Connection) -> None:
        """Copy everything in, create each hotel's partitions, and set the sequences past the ids used."""
        for table, columns in COLUMNS.items():
            _copy(conn, table, columns, self._rows[table])
            if table == "hotels":
                conn.execute("SELECT create_hotel_partitions(id) FROM hotels ORDER BY id")
        for table in SERIAL:
            # setval's third argument: the value is the next one given, also for a table left empty.
            conn.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", (table, self.next_id(table)))


def _copy(conn: psycopg.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
