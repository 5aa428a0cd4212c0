"""Guests as the PMS's clients: found again, or created."""

from collections.abc import Collection
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.later import Later
from sql.literals import array
from sql.queries import fill, load

_QUERIES = load("pms/clients.sql")
_SAME = fill(_QUERIES["same"], known=_QUERIES["known"])
_FIND_OR_CREATE = fill(_QUERIES["find_or_create"], same=_SAME, insert=_QUERIES["insert"])

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


@dataclass(frozen=True, slots=True)
class Circle:
    """Whose clients a caller knows; everybody else is to him as if there were no such client.

    source: those that its users are linked to; hotels: those with a reservation or a stay there, None for every
    client; only: these alone, whatever the rest says.
    """

    source: str
    hotels: Collection[int] | None
    only: Collection[UUID] | None = None

    def values(self) -> dict[str, Any]:
        """The parameters of KNOWN."""
        return {
            "source": self.source, "hotels": None if self.hotels is None else array(self.hotels),
            "only": None if self.only is None else array(str(one) for one in self.only),
            "block": BLOCK, "hold": HOLD,
        }  # fmt: skip


KNOWN = _QUERIES["known"]
"""Whether a client `c` is within a circle, whose `values` are the parameters."""


ALONE = _QUERIES["alone"]
"""Keeps others from making a guest; for a statement before the one that looks. Parameter: contact, of `contact`."""
_ALONE = SQL("select {alone}").format(alone=ALONE)


def contact(guest: Guest) -> str | None:
    """By what others who name the same guest in the same words are kept out; None where he can only be made."""
    reached = guest.email or guest.phone
    return None if reached is None else f"{reached}\n{guest.name}"


async def find_or_create(conn: AsyncConnection, guest: Guest, user: int, circle: Circle) -> UUID:
    """What `ask` asks for; of several at once who name the same new guest, one makes him, the others find him.

    For who has locked nothing that others wait for: two who name each other's guests would wait for each other.
    """
    if named := contact(guest):
        await conn.execute(_ALONE, {"contact": named})
    return await (await ask(conn, guest, user, circle)).get()


async def ask(conn: AsyncConnection, guest: Guest, user: int, circle: Circle) -> Later[UUID]:
    """The client that a guest is.

    Strangers are never merged: a client is taken for the guest only where the name and all given ways to reach him
    agree and there is at least one, and only within the circle: otherwise whoever names somebody would learn
    whether he is a client elsewhere. Nothing of a client that is found is changed.
    """
    values = _values(guest, user) | circle.values()
    return Later(await conn.execute(_FIND_OR_CREATE, values), itemgetter(0))


async def exists(conn: AsyncConnection, client_id: UUID) -> bool:
    """Whether the PMS has this client."""
    row = await (await conn.execute(_QUERIES["exists"], {"id": client_id})).fetchone()
    return bool(row and row[0])


def _values(guest: Guest, user: int) -> dict[str, Any]:
    # The PMS shows kanji, else kana, else the Latin name: what the engine calls the guest is to be shown.
    shown = guest.name if guest.name_kana or not guest.name.isascii() else None
    return {
        "id": uuid4(), "name": guest.name, "name_kana": guest.name_kana, "name_kanji": shown, "email": guest.email,
        "phone": guest.phone, "user": user,
    }  # fmt: skip
