"""Changing and cancelling bookings that staff have split or merged."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from outbox.inbound import project_booking
from sql.projection import Frame
from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.support.api import Answered, Api
from tests.support.daemon import today


async def booked(api: Api) -> Answered:
    """A booking of two rooms."""
    made = await book(api, asked(api, await room_type(api, rooms=3), rooms=2))
    assert made.status == 201, made.body
    return made


async def split(api: Api, booking_id: str) -> UUID:
    """Staff give one room a reservation of its own."""
    copy = uuid4()
    await api.rows(
        "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
        " status, type, agent, ota_reservation_id) select %s, hotel_id, reservation_client_id, check_in, check_out,"
        " number_of_people, status, type, agent, ota_reservation_id from reservations where id = %s returning 1",
        copy,
        booking_id,
    )
    await api.rows(
        "update reservation_details set reservation_id = %s, updated_by = 3 where reservation_id = %s and room_id ="
        " (select max(room_id) from reservation_details where reservation_id = %s) returning 1",
        copy,
        booking_id,
        booking_id,
    )
    return copy


async def merge(api: Api, booking_id: str) -> UUID:
    """Staff merge a booking into a stay that they have taken themselves."""
    theirs = uuid4()
    await api.rows(
        "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
        " status) select %s, hotel_id, reservation_client_id, check_in, check_out, 1, 'confirmed' from reservations"
        " where id = %s returning 1",
        theirs,
        booking_id,
    )
    await api.rows(
        "insert into reservation_details (hotel_id, reservation_id, date, number_of_people) select hotel_id, id,"
        " check_in, 1 from reservations where id = %s returning 1",
        theirs,
    )
    await api.rows(
        "update reservation_details set reservation_id = %s, updated_by = 3 where reservation_id = %s returning 1",
        theirs,
        booking_id,
    )
    await api.rows("delete from reservations where id = %s returning 1", booking_id)
    return theirs


async def heard(api: Api, booking_id: str) -> Answered:
    """The booking as it is read after the change stream has told of it."""
    async with api.context.connection() as conn, conn.transaction():
        await project_booking(conn, HOTEL, UUID(booking_id), Frame(today(), "roomwire"))
    return await api.get(f"/bookings/{booking_id}")


async def cancel(api: Api, booking_id: str, **headers: str) -> Answered:
    return await api.call("DELETE", f"/bookings/{booking_id}", headers={"Idempotency-Key": str(uuid4())} | headers)


async def change(api: Api, read: Answered) -> Answered:
    """Ask for one room less."""
    rooms = [{"room_type_id": read.body["nights"][0]["room_type_id"], "plan_key": "1h1", "number_of_people": 1}]
    body: dict[str, Any] = {name: read.body[name] for name in ("check_in", "check_out")} | {"rooms": rooms}
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": read.headers["ETag"]}
    return await api.put(f"/bookings/{read.body['booking_id']}", body, headers=headers)


async def statuses(api: Api, *reservations: object) -> list[list[Any]]:
    """Status and number of standing nights of reservations."""
    return [
        await api.rows(
            "select r.status, count(d.id) filter (where d.cancelled is null)::int from reservations r"
            " left join reservation_details d on d.reservation_id = r.id where r.id = %s group by 1",
            one,
        )
        for one in reservations
    ]


async def test_all_that_a_booking_was_split_into_is_cancelled(api: Api) -> None:
    made = await booked(api)
    booking_id = made.body["booking_id"]
    part = await split(api, booking_id)
    # Nobody has heard of it yet.
    assert (await cancel(api, booking_id, **{"If-Match": made.headers["ETag"]})).code == "booking_changed"
    answer = await cancel(api, booking_id)
    assert answer.status == 200, answer.body
    assert (answer.body["status"], answer.body["total"]) == ("cancelled", 0)
    assert answer.body["reservations"] == [booking_id, str(part)]
    assert await statuses(api, booking_id, part) == [[("cancelled", 0)]] * 2
    assert (await cancel(api, booking_id)).code == "already_cancelled"


async def test_a_part_that_is_left_is_cancelled_under_the_booking_s_id(api: Api) -> None:
    made = await booked(api)
    booking_id = made.body["booking_id"]
    part = await split(api, booking_id)
    await api.rows("delete from reservations where id = %s returning 1", booking_id)
    read = await heard(api, booking_id)
    assert (read.status, read.body["reservations"], len(read.body["nights"])) == (200, [str(part)], 2)
    answer = await cancel(api, booking_id, **{"If-Match": read.headers["ETag"]})
    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert await statuses(api, part) == [[("cancelled", 0)]]


async def test_a_split_booking_is_changed_by_staff(api: Api) -> None:
    made = await booked(api)
    booking_id = made.body["booking_id"]
    part = await split(api, booking_id)
    read = await heard(api, booking_id)
    assert read.body["reservations"] == [booking_id, str(part)]
    assert read.body["nights"] == made.body["nights"]
    answer = await change(api, read)
    assert (answer.status, answer.code) == (409, "needs_staff")
    assert await statuses(api, booking_id, part) == [[("confirmed", 2)]] * 2


async def test_what_was_merged_with_another_stay_is_changed_and_cancelled_by_staff(api: Api) -> None:
    made = await booked(api)
    booking_id = made.body["booking_id"]
    theirs = await merge(api, booking_id)
    read = await heard(api, booking_id)
    assert (read.status, read.body["reservations"]) == (200, [str(theirs)])
    assert read.body["nights"] == made.body["nights"]
    assert read.body["total"] == made.body["total"]
    for answer in (await change(api, read), await cancel(api, booking_id)):
        assert (answer.status, answer.code) == (409, "needs_staff")
    assert await statuses(api, theirs) == [[("confirmed", 5)]]
    await api.rows("delete from reservations where id = %s returning 1", theirs)
    assert (await heard(api, booking_id)).status == 404
