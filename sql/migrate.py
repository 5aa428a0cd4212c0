"""Migrations of the schema `booking_engine`: numbered plain-SQL files, each with a way back."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.queries import load

_FOLDER = Path(__file__).parent / "migrations"
_SECTIONS = re.compile(r"^-- up$(?P<up>.*?)^-- down$(?P<down>.*)", re.MULTILINE | re.DOTALL)
_QUERIES = load("migrate.sql")


class MigrationError(Exception):
    """The schema cannot be brought to the asked state; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file: `up` makes the change, `down` takes it back."""

    number: int
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> str:
        """Digest of what `up` did, to notice a file that was changed after it ran."""
        return hashlib.sha256(self.up.encode()).hexdigest()


def available() -> list[Migration]:
    """The migrations this installation brings, in order."""
    return [_read(path) for path in sorted(_FOLDER.glob("[0-9]*.sql"))]


def _read(path: Path) -> Migration:
    sections = _SECTIONS.search(path.read_text(encoding="utf-8"))
    if sections is None:
        raise MigrationError(f"{path.name} needs the sections '-- up' and '-- down'")
    number, name = path.stem.split("_", 1)
    return Migration(int(number), name, sections["up"].strip(), sections["down"].strip())


async def migrate(conn: AsyncConnection, target: int | None = None) -> list[str]:
    """Bring the schema to migration number `target` (default: the newest), in one transaction.

    Waits for another runner under an advisory lock. Returns what was done, a line each.

    Raises:
        MigrationError: an applied file has changed since, or the database is newer than this installation.
    """
    known = available()
    target = known[-1].number if target is None else target
    async with conn.transaction():
        for step in ("be_patient", "lock", "be_polite"):
            await conn.execute(_QUERIES[step])
        if not await _true(conn, "schema_exists"):
            await conn.execute(_QUERIES["create_schema"])
        await conn.execute(_QUERIES["create_table"])
        applied = await _applied(conn, known)
        done = [await _up(conn, m) for m in known if applied < m.number <= target]
        done += [await _down(conn, m) for m in reversed(known) if target < m.number <= applied]
    return done


async def pending(conn: AsyncConnection) -> list[str]:
    """Names of the migrations that have not run yet, oldest first."""
    known = available()
    applied = await _applied(conn, known) if await _true(conn, "exists") else 0
    return [f"{m.number:04} {m.name}" for m in known if m.number > applied]


async def _true(conn: AsyncConnection, query: str) -> bool:
    row = await (await conn.execute(_QUERIES[query])).fetchone()
    return bool(row and row[0])


async def _applied(conn: AsyncConnection, known: list[Migration]) -> int:
    rows = await (await conn.execute(_QUERIES["applied"])).fetchall()
    checksums = {m.number: m.checksum for m in known}
    for number, name, checksum in rows:
        if number not in checksums:
            raise MigrationError(f"the database has migration {number:04} {name}; install a newer Roomwire")
        if checksums[number] != checksum:
            raise MigrationError(f"migration {number:04} {name} was changed after it ran; restore its file")
    return max((row[0] for row in rows), default=0)


async def _up(conn: AsyncConnection, migration: Migration) -> str:
    await conn.execute(migration.up.encode())
    await conn.execute(_QUERIES["record"], (migration.number, migration.name, migration.checksum))
    return f"applied {migration.number:04} {migration.name}"


async def _down(conn: AsyncConnection, migration: Migration) -> str:
    await conn.execute(migration.down.encode())
    await conn.execute(_QUERIES["forget"], (migration.number,))
    return f"took back {migration.number:04} {migration.name}"


def script() -> SQL:
    """All migrations as one script, for showing."""
    return SQL("\n\n".join(m.up for m in available()))
