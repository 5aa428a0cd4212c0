"""What goes on beside reservations, and transactions that are unlike the usual ones."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import psycopg

from deploy.pms.simulator.desk import ALIVE, Desk, Flows, NothingToDoError
from deploy.pms.simulator.nights import any_client, any_plan, cancel_nights, insert_nights, insert_reservation
from deploy.pms.simulator.stays import hold

flows = Flows()


@flows.flow(2)
async def exchange_xml(desk: Desk) -> None:
    """A request to the channel manager and its answer, both large."""
    hotel = await desk.hotel()
    body = "<stock>" + "".join(f"<night n='{desk.rng.getrandbits(64):x}'/>" for _ in range(300)) + "</stock>"
    async with desk.transaction():
        await desk.run("INSERT INTO xml_requests (hotel_id, name, request) VALUES (%s, 'Stock', %s)", hotel, body)
        await desk.run("INSERT INTO xml_responses (hotel_id, name, response) VALUES (%s, 'Stock', %s)", hotel, body)


@flows.flow(2)
async def work_queues(desk: Desk) -> None:
    """Queues fill and empty, a job reports, the books are kept."""
    hotel = await desk.hotel()
    async with desk.transaction():
        await desk.run(
            "INSERT INTO google_sheets_queue (hotel_id, sheet_id, check_in) VALUES (%s, 'sheet', %s)",
            hotel,
            desk.today,
        )
        await desk.run("UPDATE google_sheets_queue SET status = 'processed' WHERE status = 'pending'")
        await desk.run("DELETE FROM ota_xml_queue WHERE id IN (SELECT id FROM ota_xml_queue ORDER BY id LIMIT 5)")
        await desk.run(
            "INSERT INTO logs_cron (job_name, status, details) VALUES ('sheets', 'ok', %s)",
            json.dumps({"hotel": hotel}),
        )
        await desk.run(
            "INSERT INTO acc_yayoi_data (hotel_id, transaction_date, debit_amount) VALUES (%s, %s, 100)",
            hotel,
            desk.today,
        )
        await desk.run("UPDATE sc_tl_rooms SET rmtypename = rmtypename WHERE hotel_id = %s", hotel)


@flows.flow(2)
async def use_parking(desk: Desk) -> None:
    """Parking is taken for a reservation's nights and given back; invoices are marked. Neither table has a key."""
    found = await desk.reservation(ALIVE)
    async with desk.transaction():
        await desk.run(
            """INSERT INTO reservation_parking (hotel_id, reservation_details_id, date, price, created_by,
                updated_by)
            SELECT hotel_id, id, date, 800, 3, 3 FROM reservation_details WHERE hotel_id = %s
                AND reservation_id = %s""",
            found.hotel_id,
            found.id,
        )
        await desk.run(
            """DELETE FROM reservation_parking WHERE hotel_id = %s AND id IN (
                SELECT id FROM reservation_parking WHERE hotel_id = %s ORDER BY id LIMIT 2)""",
            found.hotel_id,
            found.hotel_id,
        )
        await desk.run(
            "UPDATE invoices SET status = 'sent' WHERE hotel_id = %s AND status = 'draft'", found.hotel_id
        )


@flows.flow(2)
async def change_of_mind(desk: Desk) -> None:
    """Everything in a transaction is rolled back at its end."""
    found = await desk.reservation(ALIVE)
    async with desk.transaction():
        await hold(desk)
        await cancel_nights(desk, found.hotel_id, found.id)
        await desk.run("DELETE FROM reservations WHERE hotel_id = %s AND id = %s", found.hotel_id, found.id)
        raise psycopg.Rollback


@flows.flow(2)
async def second_thoughts(desk: Desk) -> None:
    """A hold is rolled back to a savepoint, another is kept, from within a savepoint of its own."""
    async with desk.transaction():
        async with desk.conn.transaction():
            await hold(desk)
            raise psycopg.Rollback
        async with desk.conn.transaction():
            await hold(desk)


@flows.flow(0.03)
async def import_history(desk: Desk) -> None:
    """A batch of stays of the last weeks is imported with the log triggers off, whatever the rooms hold already."""
    hotel = await desk.hotel()
    rooms = await desk.rows("SELECT id FROM rooms WHERE hotel_id = %s ORDER BY id", hotel)
    if not rooms:
        raise NothingToDoError
    async with desk.transaction():
        await desk.run("ALTER TABLE reservations DISABLE TRIGGER log_changes")
        await desk.run("ALTER TABLE reservation_details DISABLE TRIGGER log_changes")
        for (room,) in desk.rng.sample(rooms, min(10, len(rooms))):
            await _import_stay(desk, hotel, room)
        await desk.run("ALTER TABLE reservations ENABLE TRIGGER log_changes")
        await desk.run("ALTER TABLE reservation_details ENABLE TRIGGER log_changes")


async def _import_stay(desk: Desk, hotel: int, room: int) -> None:
    nights = desk.length()
    check_in = desk.today - timedelta(days=nights + desk.rng.randint(0, 10))
    reservation = await insert_reservation(
        desk, hotel, await any_client(desk), check_in=check_in, nights=nights, people=1, status="checked_out"
    )
    plan = await any_plan(desk, hotel)
    await insert_nights(
        desk, hotel, reservation, [room], check_in=check_in, nights=nights, plan=plan, billable=True
    )


@flows.flow(0.3)
async def slow_user(desk: Desk) -> None:
    """A transaction that writes, then stays open for a while before it commits."""
    found = await desk.reservation(ALIVE)
    async with desk.transaction():
        touched = await desk.run(
            "UPDATE reservations SET number_of_people = %s, updated_by = 4 WHERE hotel_id = %s AND id = %s",
            desk.rng.randint(1, 5),
            found.hotel_id,
            found.id,
        )
        if not touched:
            raise NothingToDoError
        await asyncio.sleep(desk.pause)
