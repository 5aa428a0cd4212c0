"""A PMS with Roomwire's documents in step with it, a desk to write at, and the PMS's own change stream.

The stream is read through SQL, so that a test decides what is projected, when, and with what else in a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg import AsyncConnection, sql

from daemon.relations import Relations
from daemon.replication.options import pgoutput_options, wal2json_options
from daemon.replication.pgoutput import PgoutputDecoder
from daemon.replication.wal2json import Wal2jsonDecoder
from daemon.transactions import Assembler, Transaction
from outbox.dirty import Dirty
from outbox.projector import Projected, project
from outbox.resync import project_page
from sql import scopes
from sql.pms.tables import FOLLOWED
from sql.pool import connect
from sql.projection import Frame
from sql.scopes import Work
from tests.support.mirror import Mirror, differences
from tests.support.mirror.state import Held, HeldNight
from tests.support.servers.databases import Database
from tests.support.truth import truth

Batches = Literal["together", "one by one"]
HOTEL = 1
FAR = 200
"""Days ahead in which the seed has no stays."""


@dataclass
class Stay:
    """A reservation that a test made: its nights' ids in order of date, then room."""

    id: UUID
    client: UUID
    nights: list[UUID]


@dataclass
class House:
    """One test's PMS and documents.

    Attributes:
        database: both.
        conn: a session of Roomwire's.
        desk: a session of the PMS's staff.
        frame: day and agent that documents are made with.
        slot: of the change stream.
    """

    database: Database
    conn: AsyncConnection
    desk: psycopg.AsyncConnection[Any]
    frame: Frame
    slot: str
    relations: Relations = field(default_factory=Relations)
    assembler: Assembler = field(default_factory=Assembler)

    def __post_init__(self) -> None:
        self._wal2json = self.database.server.plugins[0] == "wal2json"
        self._decoder = (
            Wal2jsonDecoder(FOLLOWED, self.relations.roots, self.relations.noise)
            if self._wal2json
            else PgoutputDecoder(FOLLOWED)
        )

    async def listen(self) -> None:
        """Make the slot: what is written from now on is in the stream."""
        await self.relations.refresh(self.conn)
        await self.desk.execute(
            "select pg_create_logical_replication_slot(%s, %s)", [self.slot, self.database.server.plugins[0]]
        )

    # -- the desk

    async def write(self, *statements: LiteralString, **values: object) -> None:
        """One transaction of the PMS's application."""
        async with self.desk.transaction():
            await self.desk.execute("select set_config('my_app.user_id', '1', true)")
            for statement in statements:
                await self.desk.execute(statement, values)

    async def ask(self, question: LiteralString, **values: object) -> Any:
        """The first column of the first row."""
        row = await (await self.desk.execute(question, values)).fetchone()
        return row and row[0]

    async def rooms(self, *, hotel: int = HOTEL) -> list[int]:
        """Rooms of one type that are for guests."""
        rows = await self.desk.execute(
            "select array_agg(id order by id) from rooms where hotel_id = %s and for_sale and not is_staff_room"
            " group by room_type_id order by count(*) desc, room_type_id limit 1",
            [hotel],
        )
        (found,) = await rows.fetchone() or ([],)
        return list(found)

    async def stay(
        self,
        rooms: Sequence[int],
        *,
        ahead: int = FAR,
        nights: int = 1,
        status: str = "confirmed",
        kind: str = "default",
        client: UUID | str | None = None,
        comment: str | None = None,
        hotel: int = HOTEL,
    ) -> Stay:
        """A reservation of these rooms, with a guest and an add-on on each night."""
        made = Stay(
            uuid4(), UUID(str(client)) if client else uuid4(), [uuid4() for _ in range(nights * len(rooms))]
        )
        slots = [(self.day(ahead + night), room) for night in range(nights) for room in rooms]
        await self.write(
            "insert into clients (id, name, email) values (%(client)s, 'Yamada', 'y@example.jp')"
            " on conflict do nothing",
            "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
            " status, type, comment) values (%(id)s, %(hotel)s, %(client)s, %(first)s, %(last)s, 2, %(status)s,"
            " %(kind)s, %(comment)s)",
            "insert into reservation_details (id, hotel_id, reservation_id, date, room_id, number_of_people, price,"
            " billable) select n.id, %(hotel)s, %(reservation)s, n.date, n.room, 2, 9000, true"
            " from unnest(%(ids)s::uuid[], %(dates)s::date[], %(rooms)s::int[]) as n (id, date, room)",
            "insert into reservation_clients (hotel_id, reservation_details_id, client_id)"
            " select %(hotel)s, n, %(client)s from unnest(%(ids)s::uuid[]) as n",
            "insert into reservation_addons (hotel_id, reservation_detail_id, addon_name, addon_type, price)"
            " select %(hotel)s, n, '朝食', 'breakfast', 1200 from unnest(%(ids)s::uuid[]) as n",
            id=made.id,
            reservation=made.id,
            client=made.client,
            hotel=hotel,
            first=self.day(ahead),
            last=self.day(ahead + nights),
            status=status,
            kind=kind,
            comment=comment,
            ids=made.nights,
            dates=[day for day, _ in slots],
            rooms=[room for _, room in slots],
        )
        return made

    def day(self, ahead: int) -> date:
        """So many days after today."""
        return self.frame.today + timedelta(days=ahead)

    # -- Roomwire

    async def stream(self) -> list[Transaction]:
        """The transactions that the stream tells since the last call, but for those that name nothing."""
        options = (
            wal2json_options(sorted(self.relations.noise), "roomwire")
            if self._wal2json
            else pgoutput_options(["roomwire"])
        )
        read = "select data from pg_logical_slot_get_{kind}changes(%s, null, null, variadic %s::text[])"
        query = sql.SQL(read).format(kind=sql.SQL("" if self._wal2json else "binary_"))
        words = [word for option in options.items() for word in option]
        rows = await (await self.desk.execute(query, [self.slot, words])).fetchall()
        found = []
        for (data,) in rows:
            payload = data.encode() if isinstance(data, str) else bytes(data)
            transaction = self.assembler.feed(self._decoder.decode(payload))
            if transaction is not None and not transaction.done:
                found.append(transaction)
        await self.relations.name_unknown(self.conn, found)
        return found

    async def project(self, *transactions: Transaction) -> Projected:
        """Project these as one batch."""
        dirty = Dirty()
        for transaction in transactions:
            dirty.update(transaction.keys())
        return await self.project_keys(dirty)

    async def project_keys(self, dirty: Dirty) -> Projected:
        """Project these keys as one batch."""
        async with self.conn.transaction():
            return await project(self.conn, dirty, replace(self.frame, committed_at=datetime.now(UTC)))

    async def follow(self, batches: Batches = "together") -> None:
        """Project all that the stream tells, and the durable work that follows from it."""
        transactions = await self.stream()
        for batch in [transactions] if batches == "together" else [[one] for one in transactions]:
            await self.project(*batch)
        while await self.page():
            pass

    async def page(self) -> Work | None:
        """Do one page of durable work."""
        async with self.conn.transaction():
            return await project_page(self.conn, self.frame)

    async def resync(self) -> None:
        """Put everything on the list of durable work."""
        await scopes.add_resync(self.conn, None, "a test")

    # -- what came of it

    async def mirror(self) -> Mirror:
        """What an endpoint would know."""
        mirror = Mirror()
        documents = await self.desk.execute(
            "select kind, hotel_id, id, version, body from booking_engine.document"
            " where version > 0 and kind <> 'availability'"
        )
        for kind, hotel, number, version, body in await documents.fetchall():
            mirror.held[kind, hotel, number] = Held(version, body)
        nights = await self.desk.execute(
            "select hotel_id, room_type_id, date::text, version, sellable, occupied,"
            " greatest(sellable - occupied, 0) from booking_engine.availability"
        )
        for hotel, room_type, day, version, *counts in await nights.fetchall():
            mirror.held_nights[hotel, room_type, day] = HeldNight(version, *counts)
        return mirror

    async def wrong(self) -> list[str]:
        """Where documents differ from what the PMS's rows say."""
        expected = await asyncio.to_thread(truth, self.database.dsn, self.frame.today)
        return differences(await self.mirror(), expected)

    async def occupied(self, ahead: int, *, hotel: int = HOTEL) -> int:
        """Rooms that the documents say are taken that night."""
        return int(
            await self.ask(
                "select sum(occupied) from booking_engine.availability"
                " where hotel_id = %(hotel)s and date = %(day)s",
                hotel=hotel,
                day=self.day(ahead),
            )
        )

    async def booking(self, stay: Stay, *, hotel: int = HOTEL) -> dict[str, Any] | None:
        """A stay's document; None where there is none, or a tombstone."""
        body: dict[str, Any] | None = await self.ask(
            "select body from booking_engine.document"
            " where kind = 'booking' and hotel_id = %(hotel)s and id = %(id)s",
            hotel=hotel,
            id=str(stay.id),
        )
        return body

    async def version(self, kind: str, number: str, *, hotel: int = HOTEL) -> int | None:
        """A document's version; None where there is not even a stub."""
        version: int | None = await self.ask(
            "select version from booking_engine.document"
            " where kind = %(kind)s and hotel_id = %(hotel)s and id = %(id)s",
            kind=kind,
            hotel=hotel,
            id=number,
        )
        return version


async def session(database: Database) -> AsyncConnection:
    """A session of Roomwire's own kind."""
    return await connect(database.dsn, application="test")


async def prepare(dsn: str, today: date) -> None:
    """Bring the documents of a PMS with Roomwire's schema in step with it."""
    async with await connect(dsn, application="test", statement_timeout="0") as conn:
        await scopes.add_resync(conn, None, "a test")
        frame, left = Frame(today=today, agent="roomwire"), True
        while left:
            async with conn.transaction():
                left = await project_page(conn, frame) is not None
