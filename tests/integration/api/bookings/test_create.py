"""One booking, as the PMS has it afterwards."""

from __future__ import annotations

from tests.integration.api.bookings.stays import FAR, HOTEL, PLAN, asked, book, room_type, written
from tests.integration.api.rooms import nightly
from tests.support.api import Api


async def test_a_booking_is_in_the_pms_as_staff_would_have_it(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    body = asked(api, kind, payment_timing="prepaid", requests="高層階")
    answer = await book(api, body)
    assert answer.status == 201, answer.body
    made = answer.body
    assert made["status"] == "confirmed"
    assert made["external_id"] == body["external_id"]
    assert answer.headers["ETag"] == f'"{made["version"]}"'
    assert answer.headers["Location"] == made["links"]["self"]
    ((status, source, agent, external_id, timing, comment, people, by),) = await api.rows(
        "select status, type, agent, ota_reservation_id, payment_timing, comment, number_of_people, updated_by"
        " from reservations where id = %s",
        made["booking_id"],
    )
    assert (status, source, agent, external_id) == ("confirmed", "web", "roomwire", body["external_id"])
    assert (timing, comment, people, by) == ("prepaid", "高層階", 1, 2)
    nights = await api.rows(
        "select d.date, d.price::int, d.billable, d.cancelled, d.is_accommodation, d.plan_type, m.room_type_id,"
        " (select array_agg((r.adjustment_type, r.price::int, r.tax_type_id)::text) from reservation_rates r"
        "  where r.reservation_details_id = d.id),"
        " (select count(*) from reservation_clients c where c.reservation_details_id = d.id)"
        " from reservation_details d join rooms m on m.hotel_id = d.hotel_id and m.id = d.room_id"
        " where d.reservation_id = %s order by d.date",
        made["booking_id"],
    )
    assert [night[0] for night in nights] == [api.day(FAR), api.day(FAR + 1)]
    for day, price, *rest, rates, guests in nights:
        assert price == await nightly(api, HOTEL, PLAN, day)
        assert rest == [True, None, True, "per_room", kind]
        assert len({night[6] for night in nights}) == 1
        assert sum(int(rate.split(",")[1]) for rate in rates) == price
        assert guests == 1
    assert made["total"] == sum(night[1] for night in nights)


async def test_the_documents_agree_and_the_stream_finds_nothing_to_tell(api: Api) -> None:
    answer = await book(api, asked(api, await room_type(api, rooms=1)))
    stored = (
        "select version, own, body ->> 'status' from booking_engine.document where kind = 'booking' and id = %s"
    )
    before = await api.rows(stored, answer.body["booking_id"])
    assert before == [(answer.body["version"], True, "confirmed")]
    await api.project()
    assert await api.rows(stored, answer.body["booking_id"]) == before


async def test_the_same_key_gives_the_same_answer_and_another_request_none(api: Api) -> None:
    body = asked(api, await room_type(api, rooms=2))
    first = await book(api, body, key="one")
    before = await written(api)
    again = await book(api, dict(reversed(body.items())), key="one")
    assert (again.status, again.raw) == (201, first.raw)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    other = await book(api, body | {"requests": "another"}, key="one")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert await written(api) == before


async def test_another_key_does_not_book_the_same_external_id_twice(api: Api) -> None:
    body = asked(api, await room_type(api, rooms=2))
    first = await book(api, body)
    before = await written(api)
    second = await book(api, body)
    assert (second.status, second.code) == (409, "already_booked")
    assert second.body["booking_id"] == first.body["booking_id"]
    assert await written(api) == before


async def test_a_refusal_is_final_and_writes_nothing(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    body = asked(api, kind)
    assert (await book(api, body)).status == 201
    before = await written(api)
    late = body | {"external_id": "late"}
    refused = await book(api, late, key="late")
    assert (refused.status, refused.code) == (409, "sold_out")
    assert await written(api) == before
    await api.rows("update rooms set for_sale = true, updated_by = 1 where hotel_id = %s returning id", HOTEL)
    again = await book(api, late, key="late")
    assert (again.status, again.code) == (409, "sold_out")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await book(api, late, key="new")).status == 201
    assert await api.rows("select status, retries from booking_engine.sync_status where external_id = 'late'") == [
        ("synced", 1)
    ]
