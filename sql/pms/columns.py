"""Which columns of the PMS's tables Roomwire reads, by name: more may be there, these must be."""

from collections.abc import Mapping

from sql.pms.tables import FOLLOWED

_READ = {
    "hotels": "id name formal_name facility_type open_date total_rooms postal_code address email phone_number"
    " latitude longitude created_at",
    "room_types": "hotel_id id name description created_at",
    "rooms": "hotel_id id room_type_id room_number capacity for_sale is_staff_room",
    "plans_global": "id name description plan_type color",
    "plans_hotel": "hotel_id id plans_global_id name description plan_type color is_active available_from"
    " available_until display_order",
    "hotel_plan_exclusions": "hotel_id global_plan_id",
    "plans_rates": "id hotel_id plans_global_id plans_hotel_id adjustment_type include_in_cancel_fee"
    " adjustment_value tax_type_id tax_rate sales_category condition_type condition_value date_start date_end",
    "clients": "id name name_kana name_kanji email phone",
    "reservations": "hotel_id id reservation_client_id status type agent ota_reservation_id check_in check_in_time"
    " check_out check_out_time number_of_people payment_timing comment",
    "reservation_details": "hotel_id id reservation_id date room_id plans_global_id plans_hotel_id plan_name"
    " plan_type number_of_people price billable cancelled",
    "reservation_clients": "hotel_id id reservation_details_id client_id",
    "reservation_addons": "hotel_id id reservation_detail_id addon_name addon_type quantity price",
}
READ: Mapping[str, frozenset[str]] = {table: frozenset(columns.split()) for table, columns in _READ.items()}
"""Table of `sql.pms.tables.SCHEMA` → its columns that the queries of this folder name."""

IDENTITY: Mapping[str, frozenset[str]] = {
    # A rate's key is its id alone.
    name: told & {"id"} if name == "plans_rates" else told & {"hotel_id", "id"}
    for name, told in FOLLOWED.items()
}
"""Followed table → the columns that the log must carry of a deleted row, so that its keys can be told."""
