"""Durable work and content: what is emptied, removed or grown old, and what a new day brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from outbox import resync
from outbox.dirty import ALL_CLIENTS, Dirty, Scope
from sql import scopes
from tests.integration.projection.house import FAR, HOTEL, House


async def add_endpoint(house: House) -> None:
    await house.desk.execute(
        "insert into booking_engine.endpoint (name, url, secret) values ('engine', 'http://engine.example', 'x')"
    )


async def behind(house: House) -> set[tuple[str, str]]:
    """Kind and id of the keys that the endpoint is behind on."""
    rows = await house.desk.execute("select kind, id from booking_engine.behind")
    return {(kind, number) for kind, number in await rows.fetchall()}


async def test_a_new_day_adds_its_last_night_and_drops_the_first(house: House) -> None:
    await add_endpoint(house)
    versions = "select max(version) from booking_engine.availability where hotel_id = %(hotel)s and date < %(day)s"
    last = house.day(731)
    before = await house.ask(versions, hotel=HOTEL, day=last)
    house.frame = replace(house.frame, today=house.day(1))
    await scopes.add(house.conn, "horizon", None, "midnight")
    await house.follow()
    span = "select min(date) || ' ' || max(date) from booking_engine.availability where hotel_id = %(hotel)s"
    assert await house.ask(span, hotel=HOTEL) == f"{house.day(-1)} {last}"
    assert await house.ask(versions, hotel=HOTEL, day=last) == before, "no other night is sent again"
    assert {kind for kind, _ in await behind(house)} == {"availability"}
    assert await house.wrong() == []


async def test_what_has_grown_old_is_dropped_and_nobody_hears_of_it(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1], ahead=-3, nights=2, status="checked_out")
    block = await house.stay((await house.rooms())[:1], ahead=-3, status="block")
    await house.follow()
    await add_endpoint(house)
    house.frame = replace(house.frame, today=house.day(31))
    await house.desk.execute("delete from booking_engine.availability where date < %s", [house.day(-1)])
    seen = "select count(*) from booking_engine.reservation_seen where reservation_id = any(%(ids)s)"
    async with house.conn.transaction():
        await scopes.prune(house.conn, HOTEL, house.frame.today)
    assert await house.version("booking", str(stay.id)) is None
    assert await house.ask(seen, ids=[stay.id, block.id]) == 0
    assert await behind(house) == set()


async def test_what_an_endpoint_still_waits_for_is_not_dropped(house: House) -> None:
    await add_endpoint(house)
    stay = await house.stay((await house.rooms())[:1], ahead=-3, nights=2, status="checked_out")
    await house.follow()
    assert ("booking", str(stay.id)) in await behind(house)
    async with house.conn.transaction():
        await scopes.prune(house.conn, HOTEL, house.day(31))
    assert await house.booking(stay)


async def test_emptied_nights_leave_every_room_free(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    await house.follow()
    await house.desk.execute("truncate reservation_details cascade")
    await house.follow()
    assert await house.ask("select sum(occupied) from booking_engine.availability") == 0
    body = await house.booking(stay)
    assert body is not None
    assert body["nights"] == []
    assert await house.wrong() == []


async def test_emptied_nights_of_one_hotel(house: House) -> None:
    # A leaf cannot be emptied alone: the guests and add-ons that refer to it go along.
    await house.stay((await house.rooms())[:1])
    await house.follow()
    await house.desk.execute("truncate reservation_details_1 cascade")
    await house.follow()
    assert await house.occupied(FAR) == 0
    assert await house.wrong() == []


async def test_emptied_guests_of_one_hotel(house: House) -> None:
    await house.stay((await house.rooms())[:1])
    await house.follow()
    await house.desk.execute("truncate reservation_clients_h1")
    if house.database.server.plugins[0] == "pgoutput":
        # PostgreSQL publishes no TRUNCATE of a leaf where changes name the root: only a resync helps.
        assert await house.stream() == []
        await scopes.add_resync(house.conn, HOTEL, "asked for by an operator")
    await house.follow()
    assert await house.wrong() == []


async def test_a_room_type_comes_and_goes_with_its_nights(house: House) -> None:
    await add_endpoint(house)
    await house.write("insert into room_types (hotel_id, name) values (%(hotel)s, '茶室')", hotel=HOTEL)
    number = str(await house.ask("select max(id) from room_types"))
    await house.follow()
    nights = "select count(*) from booking_engine.availability where room_type_id = %(id)s"
    assert await house.ask(nights, id=number) == 732
    assert await house.wrong() == []
    created = await house.version("room_type", number)
    await house.write("delete from room_types where id = %(id)s", id=number)
    await house.follow()
    assert await house.ask(nights, id=number) == 0
    assert (await house.version("room_type", number) or 0) > (created or 0)
    assert {("room_type", number), ("availability", number)} <= await behind(house)
    assert await house.wrong() == []


@pytest.mark.parametrize("variant", [False, True])
async def test_a_hotels_plan_comes_and_goes(house: House, variant: bool) -> None:
    general = await house.ask("select min(id) from plans_global") if variant else None
    await house.write(
        "insert into plans_hotel (hotel_id, plans_global_id, name, plan_type_category_id)"
        " values (%(hotel)s, %(general)s, '茶会', 1)",
        hotel=HOTEL,
        general=general,
    )
    number = await house.ask("select max(id) from plans_hotel")
    await house.follow()
    assert await house.version("plan", f"{general or ''}h{number}")
    assert await house.wrong() == []
    await house.write("delete from plans_hotel where id = %(id)s", id=number)
    await house.follow()
    assert await house.wrong() == []


async def test_a_plan_of_all_hotels_goes_for_all(house: House) -> None:
    await house.write("insert into plans_global (name) values ('全館')")
    number = await house.ask("select max(id) from plans_global")
    await house.follow()
    assert await house.version("plan", f"{number}h", hotel=2)
    await house.write("delete from plans_global where id = %(id)s", id=number)
    await house.follow()
    assert await house.wrong() == []


async def test_a_room_that_changes_its_type_is_counted_there_and_shown_in_its_bookings(house: House) -> None:
    room, *_ = await house.rooms()
    stay = await house.stay([room])
    await house.follow()
    await house.write(
        "update rooms set room_number = 'X1', updated_by = 1, room_type_id = ("
        " select id from room_types t where t.hotel_id = rooms.hotel_id and t.id <> rooms.room_type_id limit 1)"
        " where id = %(room)s",
        room=room,
    )
    await house.follow()
    body = await house.booking(stay)
    assert body is not None
    assert body["nights"][0]["room_number"] == "X1"
    assert await house.wrong() == []


PARTITIONS = [
    ("invoices", "invoices_"),
    ("reservation_parking", "reservation_parking_"),
    ("reservation_payments", "reservation_payments_"),
    ("reservation_rates", "reservation_rates_"),
    ("reservation_addons", "reservation_addons_"),
    ("reservation_clients", "reservation_clients_h"),
    ("reservation_details", "reservation_details_"),
    ("reservations", "reservations_"),
    ("addons_hotel", "addons_hotel_"),
    ("plans_hotel", "plans_hotel_"),
    ("rooms", "rooms_"),
    ("room_types", "room_types_"),
]
"""Each partitioned table of the PMS and how its leaves begin; who refers to another comes before it."""


async def test_a_hotel_whose_partitions_are_dropped_is_gone_with_everything(house: House) -> None:
    stay = await house.stay((await house.rooms(hotel=2))[:1], hotel=2)
    await house.follow()
    # What is dropped is in no stream: only the hotel's own row tells.
    await house.write("delete from plans_rates where hotel_id = 2", "delete from plan_addons where hotel_id = 2")
    async with house.desk.transaction():
        await house.desk.execute("select set_config('my_app.user_id', '1', true)")
        for parent, leaf in PARTITIONS:
            await house.desk.execute(f"alter table {parent} detach partition {leaf}2".encode())
            await house.desk.execute(f"drop table {leaf}2".encode())
        await house.desk.execute("delete from hotels where id = 2")
    await house.follow()
    assert await house.booking(stay, hotel=2) is None
    assert await house.version("booking", str(stay.id), hotel=2)
    live = "select count(*) from booking_engine.document where hotel_id = 2 and body is not null"
    assert await house.ask(live) == 0
    assert await house.ask("select count(*) from booking_engine.availability where hotel_id = 2") == 0
    assert await house.ask("select count(*) from booking_engine.reservation_seen where hotel_id = 2") == 0
    assert await house.wrong() == []


async def test_a_new_hotel_is_taken_in_whole_from_leaves_nobody_knew(house: House) -> None:
    await house.write(
        "insert into hotels (id, name) values (9, '新館')",
        "select create_hotel_partitions(9)",
        "insert into room_types (hotel_id, id, name) values (9, 901, '和室')",
        "insert into rooms (hotel_id, id, room_type_id, room_number) values (9, 9001, 901, '1'),"
        " (9, 9002, 901, '2')",
    )
    await house.follow()
    assert await house.wrong() == []
    stay = await house.stay([9001], hotel=9)
    await house.follow()
    assert await house.occupied(FAR, hotel=9) == 1
    assert await house.booking(stay, hotel=9)
    assert await house.wrong() == []


async def test_work_goes_on_with_its_next_page_and_begins_anew_when_asked_again(house: House) -> None:
    await scopes.add(house.conn, "availability", HOTEL, "a test")
    await house.page()
    (work,) = await scopes.listed(house.conn)
    assert (work.cursor, work.done, work.total) == ((house.frame.today + timedelta(days=89)).isoformat(), 90, 732)
    await house.page()
    (work,) = await scopes.listed(house.conn)
    assert work.done == 180
    await scopes.add(house.conn, "availability", HOTEL, "again")
    (work,) = await scopes.listed(house.conn)
    assert (work.cursor, work.done, work.reason) == (None, 0, "again")


async def test_work_on_every_hotel_becomes_work_on_each_that_is_known_or_was(house: House) -> None:
    await house.desk.execute("insert into booking_engine.document (kind, hotel_id, id) values ('hotel', 77, '')")
    await house.project_keys(Dirty(scopes={Scope("booking", None)}))
    await house.page()
    assert {(work.kind, work.hotel_id) for work in await scopes.listed(house.conn)} == {
        ("booking", hotel) for hotel in (1, 2, 77)
    }


async def test_a_look_at_all_clients_finds_those_that_documents_show_otherwise(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "CLIENTS_A_PAGE", 1)
    one, other = [await house.stay([room]) for room in (await house.rooms())[:2]]
    await house.follow()
    versions = {stay.id: await house.version("booking", str(stay.id)) for stay in (one, other)}
    await house.desk.execute(
        "update clients set name_kanji = '別人', updated_by = 1"
        " where id = (select reservation_client_id from reservations where id = %s)",
        [one.id],
    )
    await house.stream()
    await house.project_keys(Dirty(scopes={ALL_CLIENTS}))
    while await house.page() is not None:
        pass
    body = await house.booking(one)
    assert body is not None
    assert body["guest"]["name"] == "別人"
    assert await house.version("booking", str(other.id)) == versions[other.id]
    assert await house.wrong() == []


async def test_a_resync_mends_whatever_was_wrong(house: House) -> None:
    stay = await house.stay((await house.rooms())[:2], nights=2)
    await house.follow()
    for harm in (
        "update booking_engine.document set body = '{}' where kind = 'booking' and hotel_id = 1",
        "delete from booking_engine.availability where hotel_id = 1 and date > current_date + 100",
        "update booking_engine.availability set occupied = 9 where hotel_id = 2",
        "delete from booking_engine.document where kind = 'plan'",
        "truncate booking_engine.reservation_seen",
    ):
        await house.desk.execute(harm)
    await house.desk.execute(
        "insert into booking_engine.document (kind, hotel_id, id, version, body)"
        " values ('booking', 1, 'ffffffff-0000-4000-8000-000000000000', 5, '{}')"
    )
    await house.resync()
    await house.follow()
    assert await house.booking(stay)
    assert await house.wrong() == []
