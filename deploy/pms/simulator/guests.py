"""Guests, add-ons and clients: changes that leave the reservation and its nights as they are."""

from __future__ import annotations

from uuid import UUID

from deploy.pms.names import person, remark
from deploy.pms.simulator.desk import ALIVE, Desk, Flows
from deploy.pms.simulator.nights import any_client, insert_guests

flows = Flows()


async def _night(desk: Desk) -> tuple[int, UUID]:
    """Any night of a reservation that is going on."""
    found = await desk.reservation(ALIVE)
    (night,) = await desk.row(
        """SELECT id FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s
        ORDER BY md5(id::text || %s) LIMIT 1""",
        found.hotel_id,
        found.id,
        str(desk.rng.random()),
    )
    return found.hotel_id, night


@flows.flow(4)
async def change_guests(desk: Desk) -> None:
    """A guest is named on a night, or no longer is: only reservation_clients changes."""
    hotel, night = await _night(desk)
    async with desk.transaction():
        if desk.chance(0.5):
            await insert_guests(desk, hotel, [night], await any_client(desk))
        else:
            await desk.run(
                """DELETE FROM reservation_clients WHERE hotel_id = %s AND id = (
                    SELECT id FROM reservation_clients WHERE hotel_id = %s AND reservation_details_id = %s
                    ORDER BY id LIMIT 1)""",
                hotel,
                hotel,
                night,
            )


@flows.flow(4)
async def change_addons(desk: Desk) -> None:
    """An add-on is sold for a night, repriced, or dropped: only reservation_addons changes."""
    hotel, night = await _night(desk)
    dice = desk.rng.random()
    async with desk.transaction():
        if dice < 0.6:
            await desk.run(
                """INSERT INTO reservation_addons (hotel_id, reservation_detail_id, addons_global_id, addon_name,
                    addon_type, quantity, price, tax_type_id, tax_rate, created_by, updated_by)
                SELECT %s, %s, id, name, addon_type, %s, price, tax_type_id, tax_rate, 3, 3
                FROM addons_global ORDER BY md5(id || %s) LIMIT 1""",
                hotel,
                night,
                desk.rng.randint(1, 4),
                str(desk.rng.random()),
            )
        elif dice < 0.8:
            await desk.run(
                """UPDATE reservation_addons SET quantity = quantity + 1, price = price + 10.5, updated_by = 3
                WHERE hotel_id = %s AND reservation_detail_id = %s""",
                hotel,
                night,
            )
        else:
            await desk.run(
                "DELETE FROM reservation_addons WHERE hotel_id = %s AND reservation_detail_id = %s", hotel, night
            )


@flows.flow(2)
async def change_party(desk: Desk) -> None:
    """The number of people of a night changes, and with it what a per-person price comes to."""
    hotel, night = await _night(desk)
    async with desk.transaction():
        await desk.run(
            """UPDATE reservation_details SET number_of_people = %s, plan_type = %s, price = %s, updated_by = 3
            WHERE hotel_id = %s AND id = %s""",
            desk.rng.randint(1, 5),
            desk.rng.choice(("per_person", "per_room")),
            desk.rng.choice((None, 0, 5400, "6543.5")),
            hotel,
            night,
        )


@flows.flow(3)
async def edit_client(desk: Desk) -> None:
    """A client's names or ways to reach them change, or only what nobody else is told."""
    (client,) = await desk.row("SELECT id FROM clients WHERE id >= %s ORDER BY id LIMIT 1", desk.uuid())
    who = person(desk.rng)
    async with desk.transaction():
        if desk.chance(0.3):
            await desk.run(
                "UPDATE clients SET comment = %s, updated_by = 3 WHERE id = %s", remark(desk.rng), client
            )
        else:
            await desk.run(
                """UPDATE clients SET name = %s, name_kana = %s, name_kanji = %s, email = %s, phone = %s,
                    updated_by = 3
                WHERE id = %s""",
                who.name,
                who.kana,
                who.kanji,
                who.email,
                who.phone,
                client,
            )


@flows.flow(0.2)
async def delete_client(desk: Desk) -> None:
    """A client goes, and with it the reservations and the guest's place on every night."""
    (client,) = await desk.row(
        """SELECT id FROM clients WHERE id >= %s AND id <> ALL (ARRAY['11111111-1111-1111-1111-111111111111',
            '22222222-2222-2222-2222-222222222222']::uuid[]) ORDER BY id LIMIT 1""",
        desk.uuid(),
    )
    async with desk.transaction():
        await desk.run("DELETE FROM clients WHERE id = %s", client)


@flows.flow(0.02)
async def nightly_loyalty(desk: Desk) -> None:
    """The nightly job: every client is updated twice in one transaction, and few of them differ afterwards."""
    async with desk.transaction():
        await desk.run("UPDATE clients SET loyalty_tier = 'prospect', updated_by = 1")
        await desk.run(
            """UPDATE clients c SET updated_by = 1, loyalty_tier = CASE
                WHEN (SELECT count(*) FROM reservations r WHERE r.reservation_client_id = c.id) > 3 THEN 'repeater'
                ELSE 'newbie' END"""
        )
