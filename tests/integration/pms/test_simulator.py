"""The simulator performs every flow, alone and together, and survives what happens to an application."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from typing import Any

import psycopg
import pytest

from deploy.pms import install
from deploy.pms.simulator import FLOWS, Simulator
from tests.integration.pms.empty import TODAY
from tests.support.servers.databases import Database
from tests.support.truth import Truth, truth

BORNE = {"DeadlockDetected", "UniqueViolation", "ForeignKeyViolation"}
"""What an application without locks has to live with."""

Nights = dict[str, tuple[str, str, int | None]]
"""Reservation, date and room of each night by its id, of all reservations."""


def simulator(house: Database, seed: int = 1, **options: Any) -> Simulator:
    return Simulator(house.dsn, seed=seed, today=TODAY, pause=0.01, **options)


def nights(house: Database) -> Nights:
    with house.connect() as conn:
        rows = conn.execute("SELECT id::text, reservation_id::text, date::text, room_id FROM reservation_details")
        return {number: (reservation, day, room) for number, reservation, day, room in rows}


def reservations(house: Database) -> dict[str, str]:
    """The status of each reservation by its id."""
    with house.connect() as conn:
        return dict(conn.execute("SELECT id::text, status FROM reservations").fetchall())


async def test_every_flow_finds_something_to_do(each_house: Database) -> None:
    acting = simulator(each_house)
    for flow in FLOWS:
        await acting.perform(flow)
    assert acting.actions == Counter(dict.fromkeys(FLOWS, 1))
    assert not acting.troubles.keys() - BORNE


async def test_many_at_once_leave_a_house_in_order(each_house: Database) -> None:
    house = each_house
    acting = simulator(house, connections=4)
    before = truth(house.dsn, TODAY)
    done = await acting.run(250)
    assert 250 <= done.total() <= 253
    assert len(done) > 25
    assert not acting.troubles.keys() - BORNE
    assert truth(house.dsn, TODAY) != before
    with house.connect() as conn:
        wrong = """SELECT count(*) FROM hotels h
            WHERE total_rooms <> (SELECT count(*) FROM rooms r WHERE r.hotel_id = h.id AND for_sale)"""
        assert conn.execute(wrong).fetchone() == (0,)


def lasting(found: Truth) -> dict[Any, Any]:
    """What does not hold the moment at which something was created."""
    return {
        key: {field: value for field, value in body.items() if field != "created_at"}
        for key, body in found.documents.items()
    }


async def test_one_connection_does_the_same_again(house: Database) -> None:
    first = simulator(house, connections=1, seed=7)
    await first.run(60)
    told = lasting(truth(house.dsn, TODAY))
    with house.connect() as conn:
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")
    with psycopg.connect(house.dsn) as conn:
        install(conn, hotels=2, days=30, today=TODAY)
    second = simulator(house, connections=1, seed=7)
    await second.run(60)
    assert second.actions == first.actions
    assert lasting(truth(house.dsn, TODAY)) == told


async def test_users_log_in_again_after_their_connections_were_cut(house: Database) -> None:
    cut: list[int] = []

    def cut_all(_flow: str) -> None:
        if acting.actions.total() in {10, 40}:
            with house.connect() as conn:
                rows = conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pms'"
                )
                cut.append(rows.rowcount)

    acting = simulator(house, connections=3, on_action=cut_all)
    await acting.run(80)
    assert cut == [3, 3]
    assert acting.troubles["reconnected"] >= 3
    assert acting.actions.total() >= 80


async def test_a_stop_ends_it(house: Database) -> None:
    stop = asyncio.Event()
    acting = simulator(house, on_action=lambda _flow: stop.set())
    done = await acting.run(stop=stop)
    assert 1 <= done.total() <= 4


async def test_it_keeps_its_pace(house: Database) -> None:
    started = asyncio.get_running_loop().time()
    await simulator(house, rate=20).run(11)
    assert asyncio.get_running_loop().time() - started >= 0.5


@pytest.mark.parametrize(
    "flow", ["change_of_mind", "exchange_xml", "work_queues", "use_parking", "nightly_loyalty"]
)
async def test_noise_changes_no_document(house: Database, flow: str) -> None:
    before = truth(house.dsn, TODAY)
    await simulator(house).perform(flow)
    assert truth(house.dsn, TODAY) == before


async def test_the_nightly_job_updates_every_client_twice(house: Database) -> None:
    await simulator(house).perform("nightly_loyalty")
    with house.connect() as conn:
        counts = "SELECT (SELECT count(*) FROM logs_clients), 2 * (SELECT count(*) FROM clients)"
        logged, expected = conn.execute(counts).fetchone() or (0, 1)
    assert logged == expected


async def test_a_split_gives_nights_another_parent_and_a_merge_takes_them_back(house: Database) -> None:
    acting, old = simulator(house), nights(house)
    known = reservations(house).keys()
    await acting.perform("split_nights")
    new = nights(house)
    assert new.keys() == old.keys()
    moved = {number for number in old if new[number] != old[number]}
    assert {new[number][0] for number in moved} == reservations(house).keys() - known
    assert all(new[number][1:] == old[number][1:] for number in moved)
    count = len(reservations(house))
    await acting.perform("merge")
    assert len(reservations(house)) == count - 1
    assert nights(house).keys() == old.keys()


async def test_a_dragged_room_changes_reservation_and_room_in_place(house: Database) -> None:
    old = nights(house)
    known = reservations(house).keys()
    await simulator(house).perform("drag_one_room")
    new = nights(house)
    moved = {number for number in old if new[number] != old[number]}
    assert new.keys() == old.keys()
    assert moved
    assert {new[number][0] for number in moved} == reservations(house).keys() - known


async def test_a_move_of_dates_keeps_the_nights(house: Database) -> None:
    old = nights(house)
    await simulator(house).perform("move_dates")
    new = nights(house)
    moved = {number for number in old if new[number] != old[number]}
    assert new.keys() == old.keys()
    assert len({new[number][0] for number in moved}) == 1


async def test_a_modification_from_outside_replaces_every_night(house: Database) -> None:
    old = nights(house)
    await simulator(house).perform("outside_modification")
    new = nights(house)
    (changed,) = {new[number][0] for number in new.keys() - old.keys()}
    assert not [number for number in old.keys() & new.keys() if new[number][0] == changed]
    assert [number for number in old.keys() - new.keys() if old[number][0] == changed]


async def test_some_cancellations_leave_one_night_occupied(house: Database) -> None:
    known = reservations(house)
    acting = simulator(house)
    for _ in range(12):
        await acting.perform("outside_cancellation")
    cancelled = {number for number, status in reservations(house).items() if status != known[number]}
    bookings = {key[2]: body for key, body in truth(house.dsn, TODAY).documents.items() if key[0] == "booking"}
    kept = {sum(not night["cancelled"] for night in bookings[number]["nights"]) for number in cancelled}
    assert kept == {0, 1}


async def test_a_blocked_hotel_has_nothing_to_sell_until_it_is_unblocked(house: Database) -> None:
    def sold_out() -> set[tuple[int, str]]:
        free: Counter[tuple[int, str]] = Counter()
        for (hotel, _, day), (sellable, occupied) in truth(house.dsn, TODAY).nights.items():
            free[hotel, day] += sellable - occupied
        return {night for night, rooms in free.items() if not rooms}

    assert not sold_out()
    await simulator(house).perform("block_hotel")
    assert 1 <= len(sold_out()) <= 2


async def test_unblocking_and_converting_leave_no_block(house: Database) -> None:
    def blocks() -> set[str]:
        return {number for number, status in reservations(house).items() if status == "block"}

    acting, before = simulator(house), blocks()
    await acting.perform("unblock")
    (gone,) = before - blocks() if len(before - blocks()) == 1 else (None,)
    assert before > blocks()
    assert gone is None or gone not in reservations(house)
    before = blocks()
    await acting.perform("convert_block")
    (converted,) = before - blocks()
    assert reservations(house)[converted] == "hold"


async def test_a_new_hotel_is_complete_at_once(house: Database) -> None:
    await simulator(house).perform("new_hotel")
    found = truth(house.dsn, TODAY)
    assert found.documents["hotel", 3, ""]["total_rooms"] == 12
    assert [body["rooms"] for key, body in found.documents.items() if key[:2] == ("room_type", 3)] == [6, 6]


async def test_a_deleted_client_takes_its_reservations_along(house: Database) -> None:
    acting, before = simulator(house), reservations(house)
    for _ in range(20):
        await acting.perform("delete_client")
    left = reservations(house)
    assert left.keys() < before.keys()
    assert {reservation for reservation, _, _ in nights(house).values()} <= left.keys()


async def test_unknown_flows_are_refused(house: Database) -> None:
    with pytest.raises(ValueError, match="no such flow: sing"):
        simulator(house, weights={"sing": 1})


async def test_chosen_weights_are_kept(house: Database) -> None:
    done = await simulator(house, weights={"staff_hold": 1}).run(5)
    assert done.keys() == {"staff_hold"}


async def test_the_command_runs_until_a_signal(house: Database) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.pms", "simulate", "--dsn", house.dsn, "--today", TODAY.isoformat(),
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with house.connect() as conn:
        conn.execute("LISTEN reservation_log_inserted")
        assert list(await asyncio.to_thread(lambda: list(conn.notifies(timeout=20, stop_after=1))))
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().split()[1] in FLOWS
