"""Savepoints within a transaction that is sent as a pipeline."""

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier


async def save(conn: AsyncConnection, name: str) -> None:
    """Set a savepoint, of a name that the caller's code gives it."""
    await conn.execute(SQL("savepoint {}").format(Identifier(name)))


async def undo(conn: AsyncConnection, name: str) -> None:
    """Undo what was written, and let go what was locked, since the savepoint."""
    await _kept(conn, SQL("rollback to savepoint {}").format(Identifier(name)))


async def abandon(conn: AsyncConnection) -> None:
    """Undo the whole transaction, failed or not; what the session has prepared is kept."""
    await _kept(conn, SQL("rollback"))


async def _kept(conn: AsyncConnection, rollback: SQL | Composed) -> None:
    # Psycopg forgets all prepared statements of a session with what it takes for a rollback, lest tables are others
    # now (ours make none), and within a pipeline loses count of them. It does not look at what it may not prepare.
    threshold, conn.prepare_threshold = conn.prepare_threshold, None
    try:
        await conn.execute(rollback)
    finally:
        conn.prepare_threshold = threshold
