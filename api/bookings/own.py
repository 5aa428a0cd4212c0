"""Taking a booking for a change: locked, and still what its client last read."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from api.bookings.create import tell
from api.bookings.read import BookingPath, viewer
from api.days import today
from api.request.problems import Problem
from api.request.routing import Call, Reply
from api.writes.once import Told
from outbox.inbound import project_booking, version_in_step
from sql import booked, sync
from sql.links import Link
from sql.pms import changing, parts
from sql.pms.booking import OvertakenError
from sql.pms.changing import Locked
from sql.projection import Frame
from sql.sync import Ended


class Own(NamedTuple):
    """A client's own booking, locked.

    parts: the reservations that it is made of; shared: one of them has nights of others, too; body: its document,
    true where If-Match was given.
    """

    link: Link
    parts: list[Locked]
    shared: bool
    body: dict[str, Any]

    @property
    def now(self) -> Locked:
        """The reservation that it is: of several the one that it was made with, if that is there."""
        return min(self.parts, key=lambda part: part.id != self.link.reservation_id)


async def take(conn: AsyncConnection, call: Call[BookingPath, Any]) -> Own:
    """Lock the booking that a call is about, and hold it against If-Match where that is given.

    Raises:
        Problem: `unknown_booking`; `booking_changed` where it is another version now, or differs from its version
            by what staff have just done.
    """
    options, booking_id = call.context.options, call.params.booking_id
    found = await booked.find(conn, viewer(call.access), booking_id)
    seen = await parts.of(conn, found.hotel_id, booking_id, options.agent) if found else []
    locked = [await changing.lock(conn, found.hotel_id, part.id) for part in seen] if found else []
    now = await parts.of(conn, found.hotel_id, booking_id, options.agent) if found else []
    found = await booked.find(conn, viewer(call.access), booking_id)
    if found is None or found.body is None or not now:
        raise Problem("unknown_booking")
    if now != seen:
        raise OvertakenError
    wanted = _tags(call.headers)
    if wanted:
        frame = Frame(today(options.time_zone), options.agent)
        version = await version_in_step(conn, found.hotel_id, booking_id, frame)
        if version != found.version or not wanted & {"*", f'"{version}"'}:
            raise Problem("booking_changed")
    link = Link(call.access.source, found.external_id, found.hotel_id, booking_id)
    return Own(link, [part for part in locked if part], not all(part.whole for part in now), found.body)


async def tell_change(
    conn: AsyncConnection, call: Call[BookingPath, Any], own: Own, *, spent: UUID | None = None
) -> Reply:
    """Note that a change is made, bring the document up to it, last of all, and answer.

    spent: a hold that it has taken the rooms of.
    """
    link = own.link
    if spent is not None:
        # Whoever locks several documents does so in the order of their keys.
        frame = Frame(today(call.context.options.time_zone), call.context.options.agent)
        for reservation_id in sorted({spent, link.reservation_id}, key=str):
            await project_booking(conn, link.hotel_id, reservation_id, frame)
    told = await tell(conn, call, link, status=200)
    await sync.attempted(conn, link.source, link.external_id, Ended())
    return told


def told_of(call: Call[BookingPath, Any]) -> Told:
    """What writes down that an attempt to change a booking came to nothing."""

    async def told(conn: AsyncConnection, ended: Ended) -> None:
        found = await booked.find(conn, viewer(call.access), call.params.booking_id)
        if found is not None:
            await sync.attempted(conn, call.access.source, found.external_id, ended)

    return told


def check_staff(own: Own, call: Call[Any, Any]) -> None:
    """Make sure that the guests have not begun their stay, and that nobody else is in its reservations.

    Raises:
        Problem: `needs_staff`.
    """
    standing = [part for part in own.parts if part.status != "cancelled"]
    if any(part.status in {"checked_in", "checked_out"} for part in standing):
        raise Problem("needs_staff", "The guests have checked in.")
    if any(part.check_in < today(call.context.options.time_zone) for part in standing):
        raise Problem("needs_staff", "The day of arrival is over.")
    if own.shared:
        raise Problem("needs_staff", "The hotel's staff have merged the booking with another stay.")


def check_one(own: Own) -> None:
    """Make sure that the booking is the reservation that it was made with, and nothing else.

    Raises:
        Problem: `needs_staff`.
    """
    if [part.id for part in own.parts] != [own.link.reservation_id]:
        raise Problem("needs_staff", "The hotel's staff have split the booking, or merged it with another stay.")


def _tags(headers: Mapping[str, str]) -> set[str]:
    """The tags that If-Match names, with their quotes; compared strongly, as RFC 9110 says."""
    return {one.strip() for one in headers.get("if-match", "").split(",")} - {""}
