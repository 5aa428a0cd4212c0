"""What staff and OTAs do to stays, under REPLICA IDENTITY DEFAULT: old positions are not in the stream.

Where a flow has several transactions, they are projected as one batch, and as one batch each.
"""

from __future__ import annotations

import pytest

from tests.integration.projection.house import FAR, HOTEL, Batches, House

SYSTEM_BLOCK = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(params=["together", "one by one"])
def batches(request: pytest.FixtureRequest) -> Batches:
    found: Batches = request.param
    return found


async def test_a_new_stay_takes_its_rooms(house: House) -> None:
    assert await house.wrong() == []
    stay = await house.stay((await house.rooms())[:2], nights=3)
    assert len(await house.wrong()) > 3
    await house.follow()
    assert [await house.occupied(FAR + night) for night in range(-1, 4)] == [0, 2, 2, 2, 0]
    body = await house.booking(stay)
    assert body is not None
    assert body["total"] == 6 * (9000 + 1200)
    assert await house.wrong() == []


async def test_a_moved_night_frees_the_old_one(house: House, batches: Batches) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room])
    await house.follow()
    move = "update reservation_details set date = %(day)s, room_id = %(room)s, updated_by = 3 where id = %(id)s"
    await house.write(move, day=house.day(FAR + 10), room=other, id=stay.nights[0])
    await house.write(move, day=house.day(FAR + 20), room=room, id=stay.nights[0])
    await house.follow(batches)
    assert [await house.occupied(FAR + night) for night in (0, 10, 20)] == [0, 0, 1]
    assert await house.wrong() == []


async def test_a_split_gives_nights_to_another_booking(house: House, batches: Batches) -> None:
    stay = await house.stay((await house.rooms())[:1], nights=3)
    await house.follow()
    await house.write(
        "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
        " status) select %(copy)s, hotel_id, reservation_client_id, check_in, check_out, 2, status"
        " from reservations where id = %(id)s",
        copy=(copy := "00000000-0000-4000-8000-000000000001"),
        id=stay.id,
    )
    # Only the night's own row changes: neither reservation is touched in this transaction.
    await house.write(
        "update reservation_details set reservation_id = %(copy)s, updated_by = 3 where id = any(%(ids)s)",
        copy=copy,
        ids=stay.nights[1:],
    )
    await house.follow(batches)
    body = await house.booking(stay)
    assert body is not None
    assert len(body["nights"]) == 1
    assert await house.wrong() == []


async def test_a_merge_moves_nights_and_deletes_their_source(house: House, batches: Batches) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room])
    source = await house.stay([other], ahead=FAR + 1, client=stay.client)
    await house.follow()
    await house.write(
        "update reservation_details set reservation_id = %(into)s, date = %(day)s, updated_by = 3"
        " where id = any(%(ids)s)",
        "delete from reservations where id = %(source)s",
        into=stay.id,
        source=source.id,
        ids=source.nights,
        day=house.day(FAR + 2),
    )
    await house.follow(batches)
    assert await house.booking(source) is None
    assert await house.version("booking", str(source.id))
    assert [await house.occupied(FAR + night) for night in range(3)] == [1, 0, 1]
    assert await house.wrong() == []


async def test_a_night_that_goes_to_another_and_back_again_is_where_it_was(house: House) -> None:
    room, other, *_ = await house.rooms()
    stay, host = await house.stay([room]), await house.stay([other])
    await house.follow()
    give = "update reservation_details set reservation_id = %(to)s, updated_by = 3 where id = %(id)s"
    await house.write(give, to=host.id, id=stay.nights[0])
    first = await house.stream()
    await house.write(give, to=stay.id, id=stay.nights[0])
    await house.project(*first)
    assert await house.wrong() == []
    await house.follow()
    assert await house.wrong() == []


async def test_an_outside_modification_makes_all_nights_anew(house: House) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room], nights=2, kind="ota")
    await house.follow()
    await house.write(
        "delete from reservation_details where reservation_id = %(id)s",
        "update reservations set check_in = %(day)s, check_out = %(day)s::date + 1, updated_by = 1"
        " where id = %(id)s",
        "insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people, price)"
        " values (%(hotel)s, %(id)s, %(day)s, %(room)s, 1, 5000)",
        id=stay.id,
        day=house.day(FAR + 1),
        hotel=HOTEL,
        room=other,
    )
    await house.follow()
    assert [await house.occupied(FAR + night) for night in range(3)] == [0, 1, 0]
    body = await house.booking(stay)
    assert body is not None
    assert (body["total"], len(body["nights"])) == (5000, 1)
    assert await house.wrong() == []


async def test_a_deleted_night_is_found_though_its_reservation_is_not_named(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1], nights=2)
    await house.follow()
    await house.write("delete from reservation_details where id = %(id)s", id=stay.nights[1])
    await house.follow()
    assert [await house.occupied(FAR + night) for night in range(2)] == [1, 0]
    assert await house.wrong() == []


async def test_a_block_takes_rooms_without_being_a_booking_and_gives_them_back(
    house: House, batches: Batches
) -> None:
    block = await house.stay((await house.rooms())[:1], status="block", client=SYSTEM_BLOCK)
    await house.follow()
    assert await house.occupied(FAR) == 1
    assert await house.version("booking", str(block.id)) is None
    assert await house.wrong() == []
    await house.write("delete from reservations where id = %(id)s", id=block.id)
    await house.follow(batches)
    assert await house.occupied(FAR) == 0
    assert await house.version("booking", str(block.id)) is None
    assert await house.wrong() == []


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("status = 'block'", "status = 'hold'"),
        ("type = 'employee'", "type = 'default'"),
        ("check_out = current_date - 60", "check_out = current_date + 250"),
    ],
)
async def test_a_booking_that_becomes_none_and_one_again(house: House, there: str, back: str) -> None:
    stay = await house.stay((await house.rooms())[:1])
    await house.follow()
    seen = [await house.version("booking", str(stay.id))]
    for change in (there, back):
        await house.desk.execute(
            f"update reservations set {change}, updated_by = 1 where id = %s".encode(), [stay.id]
        )
        await house.follow()
        assert await house.occupied(FAR) == 1
        assert await house.wrong() == []
        seen.append(await house.version("booking", str(stay.id)))
    assert seen == sorted(set(seen), key=lambda version: version or 0)


async def test_a_deleted_client_takes_everything_along(house: House) -> None:
    room, other, *_ = await house.rooms()
    stay = await house.stay([room], nights=2)
    guest_of = await house.stay([other])
    await house.write(
        "insert into reservation_clients (hotel_id, reservation_details_id, client_id)"
        " values (%(hotel)s, %(night)s, %(id)s)",
        hotel=HOTEL,
        night=guest_of.nights[0],
        id=stay.client,
    )
    await house.follow()
    body = await house.booking(guest_of)
    assert body is not None
    assert len(body["nights"][0]["guests"]) == 2
    await house.write("delete from clients where id = %(id)s", id=stay.client)
    await house.follow()
    assert await house.booking(stay) is None
    body = await house.booking(guest_of)
    assert body is not None
    assert len(body["nights"][0]["guests"]) == 1
    assert [await house.occupied(FAR + night) for night in range(2)] == [1, 0]
    assert await house.wrong() == []


async def test_an_outside_cancellation_with_a_charge_keeps_the_last_night(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1], nights=2, kind="ota")
    await house.follow()
    await house.write(
        "update reservations set status = 'cancelled', updated_by = 1 where id = %(id)s",
        "update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 1"
        " where reservation_id = %(id)s",
        "update reservation_details set cancelled = null, billable = true, updated_by = 1 where id = %(last)s",
        id=stay.id,
        last=stay.nights[-1],
    )
    await house.follow()
    assert [await house.occupied(FAR + night) for night in range(2)] == [0, 1]
    body = await house.booking(stay)
    assert body is not None
    assert (body["status"], body["total"]) == ("cancelled", 10_200)
    assert await house.wrong() == []


async def test_a_night_that_moves_to_another_hotel(house: House) -> None:
    stay = await house.stay((await house.rooms())[:1])
    host = await house.stay((await house.rooms(hotel=2))[:1], hotel=2, ahead=FAR + 1)
    await house.follow()
    # A row that changes its partition is deleted and inserted with the same id.
    await house.write(
        "delete from reservation_clients where reservation_details_id = %(night)s",
        "delete from reservation_addons where reservation_detail_id = %(night)s",
        "update reservation_details set hotel_id = 2, reservation_id = %(host)s, room_id = %(room)s, updated_by = 1"
        " where id = %(night)s",
        night=stay.nights[0],
        host=host.id,
        room=(await house.rooms(hotel=2))[0],
    )
    await house.follow()
    assert (await house.occupied(FAR), await house.occupied(FAR, hotel=2)) == (0, 1)
    assert await house.wrong() == []
