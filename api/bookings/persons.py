"""Who books and who stays, when a booking is changed: those who are noted already stay the same clients."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from api.bookings.asked import GuestAsked, RoomBooked
from api.bookings.change_models import ChangeAsked
from api.bookings.current import CurrentNight, CurrentRoom
from api.bookings.guests import circle
from api.bookings.read import BookingPath
from api.request.problems import Fault, Problem
from api.request.routing import Call
from sql.pms import clients
from sql.pms.clients import Circle


class Persons:
    """The clients of a booking.

    Attributes:
        booker: who books, from now on.
    """

    def __init__(self, before: UUID, booker: UUID, name: str | None, user: int, within: Circle) -> None:
        self.booker = booker
        self._before = before
        self._user = user
        self._within = within
        self._known: dict[GuestAsked, UUID] = {}
        self._names = {name: booker} if name else {}

    @classmethod
    async def of(
        cls, conn: AsyncConnection, call: Call[BookingPath, ChangeAsked], body: Mapping[str, Any]
    ) -> "Persons":
        """Those of a booking's document, and who is asked for.

        Raises:
            Problem: a user's token names another who books.
        """
        noted, asked, user = body["guest"], call.body.guest, call.context.options.pms_user
        before = UUID(noted["client_id"])
        within = circle(call.access, _everybody(body))
        if asked is None or _same(asked, noted):
            return cls(before, before, noted["name"], user, within)
        if call.access.user_id is not None:
            raise Problem("invalid_request", faults=[Fault("/guest", "The token is for the user who booked.")])
        booker = await (await clients.ask(conn, asked.guest(), user, within)).get()
        return cls(before, booker, asked.name, user, within)

    async def staying(self, conn: AsyncConnection, room: RoomBooked, kept: CurrentRoom | None) -> tuple[UUID, ...]:
        """Who stays in a room: those who are named, else those who are noted, else who books."""
        noted: dict[UUID, str | None] = {}
        for night in kept.nights.values() if kept else ():
            noted |= night.guests
        if not room.guests:
            return self._as_booked(noted) or (self.booker,)
        names = self._names | {name: client_id for client_id, name in noted.items() if name}
        return tuple(dict.fromkeys([await self._client(conn, guest, names) for guest in room.guests]))

    def noted(self, night: CurrentNight) -> tuple[UUID, ...]:
        """Who stays on a night for which nobody is named: whoever is noted, but for the one who books no more."""
        return self._as_booked(night.guests)

    def _as_booked(self, noted: Iterable[UUID]) -> tuple[UUID, ...]:
        return tuple(dict.fromkeys(self.booker if one == self._before else one for one in noted))

    async def _client(self, conn: AsyncConnection, guest: GuestAsked, names: Mapping[str, UUID]) -> UUID:
        if guest.email is None and guest.phone is None and guest.name in names:
            return names[guest.name]
        if guest not in self._known:
            found = await clients.ask(conn, guest.guest(), self._user, self._within)
            self._known[guest] = await found.get()
        return self._known[guest]


def _everybody(body: Mapping[str, Any]) -> list[UUID]:
    """Who books and who stays, as a booking's document has it."""
    guests = {guest["client_id"] for night in body["nights"] for guest in night["guests"]}
    return [UUID(one) for one in sorted(guests | {body["guest"]["client_id"]})]


def _same(asked: GuestAsked, noted: Mapping[str, Any]) -> bool:
    """Whether everything that is said of a person is noted of him."""
    return all(noted[name] == value for name, value in asked.model_dump(exclude_none=True).items())
