"""Guests as the PMS's clients: found again, or created."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("pms/clients.sql")

BLOCK = UUID("11111111-1111-1111-1111-111111111111")
"""The PMS's fixed client of blocked rooms."""
HOLD = UUID("22222222-2222-2222-2222-222222222222")
"""The PMS's fixed client of rooms held for nobody in particular."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person as a booking engine names him. name: as it is to be shown."""

    name: str
    name_kana: str | None = None
    email: str | None = None
    phone: str | None = None


async def find_or_create(conn: AsyncConnection, guest: Guest, user: int) -> UUID:
    """The client that a guest is.

    Strangers are never merged: a client is taken for the guest only where the name and all given ways to reach him
    agree and there is at least one. Nothing of a client that is found is changed.
    """
    known = _values(guest) | {"block": BLOCK, "hold": HOLD}
    row = await (await conn.execute(_QUERIES["find"], known)).fetchone()
    if row is not None:
        found: UUID = row[0]
        return found
    return await create(conn, guest, user)


async def create(conn: AsyncConnection, guest: Guest, user: int) -> UUID:
    """A new client; its id."""
    created = uuid4()
    # The PMS shows kanji, else kana, else the Latin name: what the engine calls the guest is to be shown.
    shown = guest.name if guest.name_kana or not guest.name.isascii() else None
    await conn.execute(_QUERIES["insert"], _values(guest) | {"id": created, "name_kanji": shown, "user": user})
    return created


async def exists(conn: AsyncConnection, client_id: UUID) -> bool:
    """Whether the PMS has this client."""
    row = await (await conn.execute(_QUERIES["exists"], {"id": client_id})).fetchone()
    return bool(row and row[0])


def _values(guest: Guest) -> dict[str, object]:
    return {"name": guest.name, "name_kana": guest.name_kana, "email": guest.email, "phone": guest.phone}
