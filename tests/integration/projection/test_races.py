"""What happens between the statements and the batches of the projector, in the order that hurts."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from outbox.dirty import Dirty
from outbox.projector import project
from sql import scopes
from tests.integration.projection.house import FAR, HOTEL, House, Stay, session
from tests.support.daemon import until

RENAME = "update clients set name_kanji = %(name)s, updated_by = 1 where id = %(id)s"
COMMENT = "update reservations set comment = %(text)s, updated_by = 1 where id = %(id)s"


async def shown(house: House, stay: Stay) -> Any:
    body = await house.booking(stay)
    return body and body["guest"]["name"]


async def test_a_client_seen_early_through_one_booking_is_renewed_in_all(house: House) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room])
    second = await house.stay([other], client=stay.client)
    await house.follow()
    await house.write(COMMENT, text="更新", id=stay.id)
    touched = await house.stream()
    await house.write(RENAME, name="改姓", id=stay.client)
    # The batch of the comment already reads the new name.
    await house.project(*touched)
    assert await shown(house, stay) == "改姓"
    await house.follow()
    assert await shown(house, second) == "改姓"
    assert await house.wrong() == []


async def test_a_name_that_was_read_halfway_there_and_back_does_not_stay(house: House) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room])
    await house.stay([other], client=stay.client)
    await house.write(RENAME, name="旧姓", id=stay.client)
    await house.follow()
    await house.write(COMMENT, text="更新", id=stay.id)
    touched = await house.stream()
    await house.write(RENAME, name="改姓", id=stay.client)
    await house.project(*touched)
    await house.write(RENAME, name="旧姓", id=stay.client)
    await house.follow()
    assert await shown(house, stay) == "旧姓"
    assert await house.wrong() == []


@pytest.mark.parametrize("change", ["moved", "deleted"])
async def test_a_stay_that_changes_between_the_pages_of_a_first_sync_frees_its_nights(
    house: House, change: str
) -> None:
    stay = await house.stay((await house.rooms())[:1])
    await house.stream()
    # As before the first start: nothing is known, and what is there is in no stream.
    await house.desk.execute(
        "truncate booking_engine.document, booking_engine.availability, booking_engine.reservation_seen,"
        " booking_engine.client_seen"
    )
    await house.resync()
    while not await has(house, FAR):
        await house.page()
    assert await house.occupied(FAR) == 1
    if change == "moved":
        move = "update reservation_details set date = %(day)s, updated_by = 1 where id = %(id)s"
        await house.write(move, day=house.day(FAR + 1), id=stay.nights[0])
    else:
        await house.write("delete from reservations where id = %(id)s", id=stay.id)
    await house.follow()
    assert await house.occupied(FAR) == 0
    assert await house.wrong() == []


async def room_type(house: House, stay: Stay) -> Any:
    return await house.ask(
        "select room_type_id from rooms where hotel_id = %(hotel)s and id = ("
        "select room_id from reservation_details where id = %(id)s)",
        hotel=HOTEL,
        id=stay.nights[0],
    )


async def has(house: House, ahead: int) -> bool:
    return bool(
        await house.ask(
            "select exists (select from booking_engine.availability where hotel_id = %(hotel)s and date = %(day)s)",
            hotel=HOTEL,
            day=house.day(ahead),
        )
    )


async def test_two_writers_of_a_booking_never_leave_the_older_state(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1], comment="first")
    await house.follow()
    before = await house.version("booking", str(stay.id))
    dirty = Dirty(reservations={(HOTEL, str(stay.id))})
    async with await session(house.database) as late, asyncio.TaskGroup() as group:
        await late.execute("set lock_timeout = '20s'")
        async with house.conn.transaction():
            await house.write(COMMENT, text="second", id=stay.id)
            await project(house.conn, dirty, house.frame)

            async def second_writer() -> None:
                async with late.transaction():
                    await project(late, dirty, house.frame)

            waits = group.create_task(second_writer())

            async def blocked() -> bool:
                waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = %(pid)s"
                return bool(await house.ask(waiting, pid=late.info.backend_pid))

            assert await until(blocked, 60)
            # Committed after the second writer began, and before it has its lock.
            await house.write(COMMENT, text="third", id=stay.id)
        await waits
    body = await house.booking(stay)
    assert body is not None
    assert body["comment"] == "third"
    after = await house.version("booking", str(stay.id))
    assert before is not None
    assert after is not None
    assert after > before


async def test_two_writers_of_a_new_booking_make_one_document(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    dirty = Dirty(reservations={(HOTEL, str(stay.id))})
    async with await session(house.database) as late, asyncio.TaskGroup() as group:
        await late.execute("set lock_timeout = '20s'")
        async with house.conn.transaction():
            await project(house.conn, dirty, house.frame)

            async def second_writer() -> int:
                async with late.transaction():
                    return (await project(late, dirty, house.frame)).total

            waits = group.create_task(second_writer())

            async def blocked() -> bool:
                waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = %(pid)s"
                return bool(await house.ask(waiting, pid=late.info.backend_pid))

            assert await until(blocked, 60)
            assert await house.version("booking", str(stay.id)) is None
        assert await waits == 0
    assert await house.booking(stay)


async def test_versions_rise_whatever_the_clock_says(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    await house.follow()
    ahead = 2**53
    await house.desk.execute("update booking_engine.document set version = %s", [ahead])
    await house.write(COMMENT, text="一", id=stay.id)
    await house.write("update reservation_details set cancelled = gen_random_uuid(), updated_by = 1"
        " where reservation_id = %(id)s", id=stay.id)  # fmt: skip
    await house.follow()
    kind = str(await room_type(house, stay))
    assert await house.version("booking", str(stay.id)) == ahead + 1
    assert await house.version("availability", kind) == ahead + 1
    night = await house.ask(
        "select version from booking_engine.availability"
        " where hotel_id = %(hotel)s and date = %(day)s and room_type_id::text = %(kind)s",
        hotel=HOTEL,
        day=house.day(FAR),
        kind=kind,
    )
    assert night == ahead + 1
    # Tables that a restore has thrown back are behind the clock, and so behind what was sent.
    await house.desk.execute("update booking_engine.document set version = 1")
    await house.write(COMMENT, text="二", id=stay.id)
    await house.follow()
    assert (await house.version("booking", str(stay.id)) or 0) > 1_700_000_000_000_000


async def test_what_does_not_differ_writes_nothing(house: House) -> None:
    await house.stay((await house.rooms())[:1])
    await house.follow()
    newest = "select max(version) from booking_engine.document"
    before = await house.ask(newest)
    await house.resync()
    await house.follow()
    assert await house.ask(newest) == before


async def test_a_stub_is_never_a_document(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    stub = "insert into booking_engine.document (kind, hotel_id, id) values ('booking', %s, %s)"
    await house.desk.execute(stub, [HOTEL, str(stay.id)])
    await house.write("delete from reservations where id = %(id)s", id=stay.id)
    await house.project_keys(Dirty(reservations={(HOTEL, str(stay.id))}))
    assert await house.version("booking", str(stay.id)) == 0
    await house.follow()
    assert await house.wrong() == []
    async with house.conn.transaction():
        await scopes.prune(house.conn, HOTEL, house.frame.today)
    assert await house.version("booking", str(stay.id)) is None


async def test_a_stub_that_comes_to_life_is_born_then(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    await house.follow()
    born = "select born = version from booking_engine.document where kind = 'booking' and id = %(id)s"
    assert await house.ask(born, id=str(stay.id))
    await house.write(COMMENT, text="変更", id=stay.id)
    await house.follow()
    assert not await house.ask(born, id=str(stay.id))


async def test_a_long_comment_that_is_not_touched_does_not_vanish(house: House) -> None:
    text = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(10_000))
    stay = await house.stay((await house.rooms())[:1], comment=text)
    await house.follow()
    await house.write("update reservations set number_of_people = 5, updated_by = 1 where id = %(id)s", id=stay.id)
    await house.write(
        "update reservation_details set price = 1, updated_by = 1 where reservation_id = %(id)s", id=stay.id
    )
    await house.follow()
    body = await house.booking(stay)
    assert body is not None
    assert (body["comment"], body["number_of_people"]) == (text, 5)
    assert await house.wrong() == []


async def test_a_clients_long_name_that_is_not_sent_counts_as_changed(house: House) -> None:
    name = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(3_000))
    stay = await house.stay((await house.rooms())[:1])
    await house.write(RENAME, name=name, id=stay.client)
    await house.follow()
    await house.write(
        "update clients set email = 'new@example.jp', updated_by = 1 where id = %(id)s", id=stay.client
    )
    (transaction,) = await house.stream()
    assert transaction.keys().clients == {str(stay.client): ""}
    await house.project(transaction)
    assert await house.wrong() == []


async def test_the_digest_of_a_client_is_the_same_in_sql_and_in_the_stream(house: House) -> None:
    stays = await house.rooms()
    odd: list[dict[str, str | None]] = [
        {"name": "TBD", "name_kana": None, "name_kanji": None, "email": None, "phone": None},
        {"name": "", "name_kana": "", "name_kanji": "髙橋 😀", "email": "a\x1fb", "phone": "\x1e"},
        {"name": "a'b\\c\"", "name_kana": "ﾔﾏﾀﾞ\n", "name_kanji": " ", "email": "é", "phone": "0"},
    ]
    for room, values in zip(stays, odd, strict=False):
        stay = await house.stay([room])
        await house.desk.execute(
            "update clients set name = %(name)s, name_kana = %(name_kana)s, name_kanji = %(name_kanji)s,"
            " email = %(email)s, phone = %(phone)s, updated_by = 1 where id = %(id)s",
            {**values, "id": stay.client},
        )
        told = (await house.stream())[-1].keys().clients
        await house.project_keys(Dirty(reservations={(HOTEL, str(stay.id))}))
        noted = await house.ask(
            "select digest from booking_engine.client_seen where client_id = %(id)s", id=stay.client
        )
        assert told == {str(stay.client): noted}, values


async def test_the_nightly_job_recomputes_no_booking(house: House) -> None:
    await house.write(
        "update clients set loyalty_tier = 'regular', updated_by = 1",
        "update clients set loyalty_tier = 'x', updated_by = 1",
    )
    (transaction,) = await house.stream()
    assert len(transaction.keys().clients) > 50
    async with house.conn.transaction():
        await project(house.conn, transaction.keys(), house.frame)
        seen = (
            "select count(*) from booking_engine.document where kind = 'booking'"
            " and xmax::text::bigint = txid_current() % (2^32)::bigint"
        )
        (locked,) = await (await house.conn.execute(seen)).fetchone() or (None,)
    assert locked == 0


async def test_who_cannot_have_a_lock_at_once_lets_the_pms_go_first(house: House) -> None:
    async with house.desk.transaction():
        await house.desk.execute("lock table rooms in access exclusive mode")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await house.project_keys(Dirty(nights={(HOTEL, house.day(FAR).isoformat())}))
    assert await house.wrong() == []
