"""Content: the shapes that exist today, field for field, from documents."""

from tests.support.api import Api


async def test_hotels_are_the_pms_s_rows(api: Api) -> None:
    answer = await api.get("/hotels")
    assert answer.status == 200, answer.body
    rows = await api.rows(
        "select id, name, formal_name, facility_type, open_date::text, total_rooms, postal_code, address, email,"
        " phone_number from hotels order by id"
    )
    names = "hotel_id name formal_name facility_type open_date total_rooms postal_code address email phone_number"
    assert [tuple(hotel[name] for name in names.split()) for hotel in answer.body["hotels"]] == rows
    assert len(rows) == 2
    assert answer.body["stale"] is False
