"""The replication connection: the only code that touches libpq.

psycopg has no replication interface, but passes START_REPLICATION through; from then on the connection carries
frames both ways, read and written here without ever blocking the event loop. The pure halves are `frames` and the
decoders.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq.abc import PGconn

from daemon.replication import frames
from daemon.replication.answering import Answering
from daemon.replication.errors import ConnectionLostError, ProtocolError, ReplicationError
from daemon.replication.failures import connecting_failed, stream_failed
from daemon.replication.lsn import parse_lsn
from daemon.replication.options import start_command
from daemon.replication.slot import sender_timeout, why_refused

# What PostgreSQL prints depends on the session: pinned, so that a value has one spelling.
_PRINTING: Final = "-c datestyle=ISO,YMD -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex"
_STATUS_INTERVAL: Final = 10.0
_SILENCE: Final = 120.0


class System(NamedTuple):
    """Which server this is, and where it stands.

    Attributes:
        system_id: the cluster's identifier, equal on its standbys.
        timeline: rises with every promotion.
        position: how far the log is flushed, LSN.
    """

    system_id: str
    timeline: int
    position: int


class ReplicationStream:
    """One connection that streams a slot's changes. Open with `connect`, use as an async context manager.

    While it streams, the server hears from us at least every 10 s (sooner where its wal_sender_timeout asks for
    it), whether or not anybody reads, and at once when a frame read asks for it. It is told only positions that
    `send_status` was given, and never one that is lower than an earlier one.
    """

    def __init__(self, connection: psycopg.AsyncConnection, *, silence: float = _SILENCE) -> None:
        self._connection = connection
        self._pgconn: PGconn = connection.pgconn
        # Kept, because libpq forgets it when the connection breaks and the loop still has to be told.
        self._socket = self._pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._interval = _STATUS_INTERVAL
        self._positions = (0, 0, 0)
        self._answering = Answering()
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: ReplicationError | None = None

    @classmethod
    async def connect(cls, dsn: str, *, application: str, silence: float = _SILENCE) -> Self:
        """Open a replication connection to the database that the DSN names.

        Args:
            dsn: libpq connection string of a role with REPLICATION.
            application: what the DBA sees in pg_stat_replication.
            silence: seconds without a frame, while one is waited for, after which the server counts as dead. A
                server that decodes a huge transaction of which nothing is wanted is silent, too.

        Raises:
            ReplicationError: the server cannot be reached, or refuses.
        """
        options = " ".join(filter(None, [str(conninfo_to_dict(dsn).get("options") or ""), _PRINTING]))
        conninfo = make_conninfo(
            dsn,
            options=options,
            application_name=application,
            client_encoding="UTF8",
            connect_timeout=10,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
            replication="database",
        )
        try:
            connection = await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True, cursor_factory=psycopg.AsyncClientCursor
            )
        except psycopg.Error as error:
            raise connecting_failed(error) from error
        return cls(connection, silence=silence)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connection(self) -> psycopg.AsyncConnection:
        """The connection, for plain SQL before `start`: it knows no prepared statements."""
        return self._connection

    async def identify_system(self) -> System:
        """Ask which server this is. Only before `start`."""
        try:
            cursor = await self._connection.execute("IDENTIFY_SYSTEM")
            row = await cursor.fetchone()
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error
        if row is None:
            raise ProtocolError("IDENTIFY_SYSTEM gave no row")
        return System(str(row[0]), int(row[1]), parse_lsn(row[2]))

    async def start(self, name: str, lsn: int, options: Mapping[str, str]) -> None:
        """Start streaming the slot `name`.

        Args:
            name: the slot.
            lsn: where to go on: transactions that committed before it are skipped. Below the slot's own
                confirmed position the server starts at the latter; 0 always means there.
            options: the plugin's.

        Raises:
            ReplicationError: the server refuses; the class says why and what to do.
        """
        command = start_command(name, lsn, options)
        try:
            self._interval = min(_STATUS_INTERVAL, await sender_timeout(self._connection) / 3)
            await self._connection.execute(command)
        except psycopg.Error as error:
            raise await why_refused(self._connection, name, error) from error
        self._heard = time.monotonic()
        self._rearm(self._interval)

    async def read(self, max_frames: int) -> list[bytes]:
        """Wait for at least one frame, and return those that have arrived, at most `max_frames`, in order.

        Other tasks run between two calls even when frames never cease. Cancelling loses nothing.

        Raises:
            ReplicationError: the stream has ended; frames that came before that were returned first.
        """
        # Frames are taken after the last point at which this can be cancelled, and timers get their turn even
        # when there is always something to read.
        await asyncio.sleep(0)
        while True:
            received = self._drain(max_frames)
            if received:
                self._heard = time.monotonic()
                return received
            if self._failure is not None:
                raise self._failure
            await self._readable()

    def send_status(self, written: int, flushed: int, applied: int, *, reply: bool = False) -> None:
        """Tell the server how far we are; never blocks, and may be called by any task.

        Positions lower than those sent before are raised to them.

        Args:
            written: LSN received.
            flushed: LSN that is durable here: the server may forget everything before it.
            applied: LSN applied here.
            reply: ask for a keepalive.

        Raises:
            ReplicationError: the stream has ended.
        """
        if self._failure is not None:
            raise self._failure
        before = self._positions
        self._positions = (max(written, before[0]), max(flushed, before[1]), max(applied, before[2]))
        if self._positions[1] > before[1]:
            self._answering.moved(time.monotonic())
        self._send(reply=reply)
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Close the connection, which frees the slot. A second time does nothing."""
        self._fail(ConnectionLostError("The stream was closed"))
        await self._connection.close()

    def _drain(self, most: int) -> list[bytes]:
        received: list[bytes] = []
        emptied = False
        try:
            while len(received) < most and self._failure is None:
                size, data = self._pgconn.get_copy_data(1)
                if size > 0:
                    frame = bytes(data)
                    received.append(frame)
                    emptied = False
                    if frame[0] == frames.KEEPALIVE and frames.parse(frame)[-1]:
                        self._answer()
                elif size < 0:
                    self._fail(stream_failed(self._pgconn.get_result()))
                elif emptied:
                    break
                else:
                    self._pgconn.consume_input()
                    emptied = True
        except psycopg.Error as error:
            self._fail(ConnectionLostError(str(error)))
        return received

    async def _readable(self) -> None:
        """Wait until the socket has something to read, or something else is to be looked at."""
        self._waiter = waiter = self._loop.create_future()
        self._loop.add_reader(self._socket, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            # After a failure the socket is closed, and its number may already be somebody else's.
            if self._failure is None:
                self._loop.remove_reader(self._socket)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _answer(self) -> None:
        delay = self._answering.ask(time.monotonic())
        if self._answering.hopeless:
            self._fail(ConnectionLostError("The server shuts down and waits for us: left it"))
        elif delay:
            self._rearm(delay)
        else:
            self._send()

    def _rearm(self, delay: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._rearm(self._interval)
        silent = time.monotonic() - self._heard
        if self._waiter is not None and silent > self._silence:
            self._fail(ConnectionLostError(f"The server has been silent for {silent:.0f} s"))
        else:
            # An answer is asked for, because a server with nothing to send is otherwise as silent as a dead one.
            self._send(reply=True)

    def _send(self, *, reply: bool = False) -> None:
        try:
            self._answering.answered = time.monotonic()
            self._pgconn.put_copy_data(frames.status(*self._positions, time.time(), reply=reply))
            self._flush()
        except psycopg.Error as error:
            self._fail(ConnectionLostError(str(error)))

    def _flush(self) -> None:
        try:
            pending = self._pgconn.flush()
        except psycopg.Error as error:
            self._fail(ConnectionLostError(str(error)))
            return
        if pending:
            self._loop.add_writer(self._socket, self._flush)
            # libpq reads while it waits to write, and the socket will not tell of what it has read.
            self._wake()
        else:
            self._loop.remove_writer(self._socket)

    def _fail(self, failure: ReplicationError) -> None:
        """End the stream, which frees the slot: who reads or sends from now on gets this failure."""
        if self._failure is not None:
            return
        self._failure = failure
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        self._wake()
