"""Taking the lead of a slot: the slot exists, nobody else streams it, and the checkpoint fits it.

The slot is the lock: PostgreSQL lets one connection stream it. The epoch in the checkpoint is the fence: who led
before and wakes up late finds it raised and can write nothing.
"""

from dataclasses import dataclass
from typing import get_args

import structlog
from psycopg import AsyncConnection

from daemon.gap import Found
from daemon.persistence import Persistence
from daemon.relations import Relations
from daemon.replication import slot as slots
from daemon.replication.errors import SlotElsewhereError
from daemon.replication.options import pgoutput_options, wal2json_options
from daemon.replication.pgoutput import PgoutputDecoder
from daemon.replication.publication import check_publication
from daemon.replication.slot import Plugin, SlotState
from daemon.replication.stream import ReplicationStream
from daemon.replication.wal2json import Wal2jsonDecoder
from daemon.settings import Settings
from outbox import restored
from sql import checkpoint, scopes
from sql.checkpoint import Checkpoint
from sql.pms import tables
from sql.pms.tables import FOLLOWED

log = structlog.get_logger()

BEAT_PREFIX = "roomwire"
Decoder = Wal2jsonDecoder | PgoutputDecoder


@dataclass(frozen=True, slots=True)
class Lead:
    """What the leader streams with."""

    checkpoint: Checkpoint
    decoder: Decoder


async def take_lead(
    stream: ReplicationStream,
    persistence: Persistence,
    relations: Relations,
    settings: Settings,
    led: tuple[int, int],
) -> Lead:
    """Start streaming the slot, and become its leader.

    Where the stream cannot tell all that has happened, a resync of everything is put on the list of durable work,
    in the transaction that moves the checkpoint across the gap; where the database was put back, newer versions of
    everything, too. led: the epoch of this process's own last lead, and how far it had brought the checkpoint then.

    Raises:
        ReplicationError: the server refuses; SlotActiveError while another leads.
        psycopg.Error: the database has been out of reach longer than the patience.
    """

    async def look(conn: AsyncConnection) -> Checkpoint | None:
        await relations.refresh(conn)
        return await checkpoint.read(conn, settings.slot)

    system = await stream.identify_system()
    before = await slots.inspect(stream.connection, settings.slot)
    state = await ensure_slot(stream.connection, settings, leads=True)
    stored = await persistence.run(look)
    found = Found(system, before, state, *led)
    start = 0 if stored is None or found.gap(stored) else stored.end_lsn
    decoder, options = await _decoding(stream, state, relations, settings)
    await stream.start(settings.slot, start, options)
    # The last transaction of whoever led before may still hold the checkpoint.
    stored, reached = await persistence.run(lambda conn: _raise_epoch(conn, found, settings))
    if reason := found.gap(stored):
        log.warning("resync", reason=reason)
    if reason := found.put_back(stored):
        log.warning("restored", reason=reason)
    return Lead(reached, decoder)


async def ensure_slot(conn: AsyncConnection, settings: Settings, *, leads: bool) -> SlotState:
    """Make the slot where there is none.

    One that the server has given up is made anew by who leads then, and has seen why: to all others it would look
    as after a restore. Who does not lead leaves it.

    Raises:
        SlotElsewhereError: a slot of this name is not ours; it is left alone.
        ReplicationError: the server refuses.
    """
    state = await slots.inspect(conn, settings.slot)
    if state.exists and not (state.here and state.plugin in get_args(Plugin)):
        raise SlotElsewhereError(
            f"Slot {settings.slot} is of another {f'plugin, {state.plugin}' if state.here else 'database'}"
        )
    anew = state.lost and leads
    if anew:
        log.warning("slot_lost", slot=settings.slot, reason=state.invalidation_reason or state.wal_status)
        await slots.drop(conn, settings.slot)
    if anew or not state.exists:
        plugin = await slots.choose_plugin(conn, settings.plugin)
        log.info("slot_creating", slot=settings.slot, plugin=plugin, waits_for="transactions that are open")
        await slots.create(conn, settings.slot, plugin)
        state = await slots.inspect(conn, settings.slot)
    return state


async def _decoding(
    stream: ReplicationStream, state: SlotState, relations: Relations, settings: Settings
) -> tuple[Decoder, dict[str, str]]:
    if state.plugin == "wal2json":
        decoder = Wal2jsonDecoder(FOLLOWED, relations.roots, relations.noise)
        # Partitions of ours that are made later are on no list.
        noise = relations.noise | {("booking_engine", "*")}
        return decoder, wal2json_options(sorted(noise), BEAT_PREFIX)
    await check_publication(stream.connection, settings.publication, FOLLOWED)
    return PgoutputDecoder(FOLLOWED), pgoutput_options([settings.publication])


async def _raise_epoch(
    conn: AsyncConnection, found: Found, settings: Settings
) -> tuple[Checkpoint | None, Checkpoint]:
    """Become the leader; returns the checkpoint as it was and as it is."""
    async with conn.transaction():
        stored = await checkpoint.read(conn, settings.slot)
        if reason := found.gap(stored):
            await scopes.add_resync(conn, None, reason)
            await checkpoint.start(
                conn,
                settings.slot,
                system_id=found.system.system_id,
                timeline=found.system.timeline,
                end_lsn=found.slot.confirmed_flush_lsn or 0,
                today=await tables.today(conn, settings.time_zone),
            )
        if reason := found.put_back(stored):
            await restored.note(conn, settings.slot, reason)
        return stored, await checkpoint.lead(conn, settings.slot)
