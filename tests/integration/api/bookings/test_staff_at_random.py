"""Staff who act at random beside bookings of ours."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, LiteralString
from uuid import uuid4

from deploy.pms.simulator.run import Simulator
from tests.integration.api.bookings.desk import nobody_suffers
from tests.integration.api.bookings.stays import HOTEL, asked, book
from tests.support.api import Answered, Api
from tests.support.daemon import today
from tests.support.waits import watching

ORDER: LiteralString = """
    create table room_order (night uuid primary key, number bigint, writer text);
    create sequence room_order_number;
    create function note_room_order() returns trigger language plpgsql security definer as $$
    begin
        insert into room_order values (new.id, nextval('room_order_number'), current_setting('application_name'))
        on conflict (night) do update set number = excluded.number, writer = excluded.writer;
        return null;
    end $$;
    create trigger zz_room_order after insert or update of room_id on reservation_details
        for each row execute function note_room_order();
"""
"""Numbers room-nights as they are given away. A trigger of this name fires after the foreign key's, which locks the
room: the numbers stand in the order in which the room was locked, and who locked it first has committed first."""


BOOKED_OVER: LiteralString = """
    select later.*, earlier.*
    from reservation_details d
    join room_order earlier on earlier.night = d.id
    join reservation_details o on o.hotel_id = d.hotel_id and o.room_id = d.room_id and o.date = d.date
        and o.cancelled is null and o.reservation_id <> d.reservation_id
    join room_order later on later.night = o.id and later.number > earlier.number
    where d.cancelled is null and later.writer = 'roomwire api'
"""


INSERTS_AND_ROOM_CHANGES = {
    "staff_hold": 5,
    "outside_booking": 6,
    "change_room": 5,
    "block_room": 2,
    "split_rooms": 1,
    "plan_and_price": 2,
    "edit_details": 2,
    "delete_hold": 1,
}


async def test_staff_at_random_are_never_booked_over_and_never_kept_waiting(api: Api) -> None:
    kinds = await api.rows(
        "select room_type_id from rooms where hotel_id = %s and for_sale and not is_staff_room"
        " group by 1 having count(*) <= 8 order by 1 limit 2",
        HOTEL,
    )
    await api.desk.execute(ORDER)
    simulator = Simulator(api.database.dsn, seed=8, connections=4, today=today(), weights=INSERTS_AND_ROOM_CHANGES)
    stop, width = asyncio.Event(), asyncio.Semaphore(10)

    async def one(number: int, kind: int) -> list[Answered]:
        stay = asked(api, kind, ahead=1 + number % 25, nights=1 + number % 3, rooms=1 + number % 2)
        async with width:
            made = await book(api, stay)
            return (
                [made, await change(api, made, stay, number)] if made.status == 201 and number % 3 == 0 else [made]
            )

    async with watching(api.database.dsn) as waits:
        working = asyncio.create_task(simulator.run(stop=stop))
        try:
            pairs = await asyncio.gather(*(one(number, kind) for number in range(75) for (kind,) in kinds))
        finally:
            stop.set()
            await working
    statuses = Counter(answer.status for answers in pairs for answer in answers)
    assert statuses.keys() <= {200, 201, 409, 412, 503}
    assert statuses[201] > 20
    assert any(len(answers) > 1 for answers in pairs)
    assert simulator.actions.total() > 20
    assert not await api.rows(BOOKED_OVER)
    assert waits.looks > 20
    assert simulator.troubles["DeadlockDetected"] == 0
    nobody_suffers(waits)


async def change(api: Api, made: Answered, stay: dict[str, Any], number: int) -> Answered:
    """Move a booking by some days, and give it a room more or less."""
    ahead, rooms = 20 + number % 25, stay["rooms"]
    body = {
        "check_in": str(api.day(ahead)),
        "check_out": str(api.day(ahead + 2)),
        "rooms": rooms[:1] if len(rooms) > 1 else rooms * 2,
    }
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": made.headers["ETag"]}
    return await api.put(f"/bookings/{made.body['booking_id']}", body, headers=headers)
