"""Users of a booking engine: which client of the PMS each of them is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from pydantic import AwareDatetime, Field

from api.bookings.asked import GuestAsked
from api.fields import UserId
from api.request.problems import Fault, Problem
from api.request.routing import Answer, Asked, Call, Link, Nothing, Reply, Returns, Route
from api.writes.once import once
from sql import access
from sql.access import User
from sql.pms import clients, people
from sql.pms.clients import Circle


class UserPath(Asked):
    """One user."""

    user_id: UserId


class UserLinked(Asked):
    """The client that a user is: by his uuid, or as a guest who books is found."""

    client_id: UUID | None = Field(
        None, description="The client's uuid in the PMS, as a booking's `guest` names it; or else `guest`."
    )
    guest: GuestAsked | None = Field(
        None,
        description=(
            "The person, with `email` or `phone`: the client whose name and every given way to reach him are these,"
            " among those whom the key knows, else a new one, as where he books. Needs the scope `book`, too."
        ),
    )

    def check(self) -> None:
        """Make sure that there is one way to tell who he is.

        Raises:
            Problem: there is none, or there are two.
        """
        if (self.client_id is None) == (self.guest is None):
            raise Problem("invalid_request", faults=[Fault("/client_id", "Send either this or `guest`.")])
        if self.guest and self.guest.email is None and self.guest.phone is None:
            said = "By his name alone nobody is found again: send this, or `phone`."
            raise Problem("invalid_request", faults=[Fault("/guest/email", said)])


class UserAnswer(Answer):
    """A user of yours, and the PMS client he is."""

    user_id: UserId
    client_id: UUID = Field(description="The client's uuid in the PMS.")
    linked_at: AwareDatetime = Field(description="Since when (RFC 3339, UTC).")
    name: str | None = Field(
        description="Name in kanji, else in kana, else in Latin letters; null without guest-data."
    )
    name_kana: str | None = Field(description="Name in kana; null without guest-data.")
    email: str | None = Field(description="Address for mail; null without guest-data.")
    phone: str | None = Field(description="Telephone number; null without guest-data.")


async def read_user(call: Call[UserPath, Nothing]) -> Reply:
    """The client that a user is."""
    user_id = _allowed(call)
    async with call.context.connection() as conn:
        user = await access.user(conn, call.access.source, user_id)
        # He was linked by this client, so he is known to all of its keys.
        person = await people.find(conn, user.client_id, _circle(call)) if user else None
    if user is None or person is None:
        raise Problem("unknown_user")
    return _reply(call, user, person)


async def link_user(call: Call[UserPath, UserLinked]) -> Reply:
    """Say which client a user is."""
    if call.access.user_id is not None:
        raise Problem("insufficient_scope", "A token for one user links nobody: use the key.")
    asked = call.body
    asked.check()
    if asked.guest and not call.access.may("book"):
        raise Problem("insufficient_scope", scope="book")

    async def work(conn: AsyncConnection) -> Reply:
        client_id = await _client(conn, call)
        user = await access.link_user(conn, call.access.source, call.params.user_id, client_id)
        person = await people.find(conn, client_id, _circle(call))
        assert person is not None  # whoever is linked is known
        return _reply(call, user, person)

    return await once(call, work, pms=asked.guest is not None)


async def _client(conn: AsyncConnection, call: Call[UserPath, UserLinked]) -> UUID:
    asked, within = call.body, _circle(call)
    if asked.guest is not None:
        return await clients.find_or_create(conn, asked.guest.guest(), call.context.options.pms_user, within)
    assert asked.client_id is not None  # the one or the other
    if await people.find(conn, asked.client_id, within) is None:
        raise Problem("unknown_client")
    return asked.client_id


def _circle(call: Call[UserPath, Any]) -> Circle:
    return Circle(call.access.source, call.access.hotels)


def _allowed(call: Call[UserPath, Nothing]) -> str:
    """The user's id; a token for one user knows no other."""
    if call.access.user_id not in {None, call.params.user_id}:
        raise Problem("unknown_user")
    return call.params.user_id


def _reply(call: Call[UserPath, Any], user: User, person: people.Person) -> Reply:
    shown = call.access.may("guest-data")
    return Reply(
        UserAnswer(
            user_id=call.params.user_id,
            client_id=user.client_id,
            linked_at=user.linked_at,
            name=person.name if shown else None,
            name_kana=person.name_kana if shown else None,
            email=person.email if shown else None,
            phone=person.phone if shown else None,
        )
    )


_EXAMPLE = {
    "user_id": "u_5512",
    "client_id": "9b1f4a52-7c0e-4f0b-8a44-61f1c2d3e4f5",
    "linked_at": "2026-11-23T05:14:56Z",
    "name": "佐藤 美咲",
    "name_kana": "サトウ ミサキ",
    "email": "misaki.sato@mail.example",
    "phone": "090-5555-0187",
}

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/auth/user/{user_id}",
        handler=read_user,
        name="readUser",
        tag="Access",
        summary="Read which client of the PMS a user of yours is",
        params=UserPath,
        params_examples={"user_id": "u_5512"},
        returns={
            200: Returns("The user, with his contact where the key has the scope guest-data.", UserAnswer, _EXAMPLE)
        },
        problems=("unknown_user",),
    ),
    Route(
        method="PUT",
        path="/auth/user/{user_id}",
        handler=link_user,
        name="linkUser",
        tag="Access",
        scope="guest-data",
        summary="Say which client of the PMS a user of yours is",
        description="Bookings with this `user_id` are then made for that client. Name him by `client_id`, or by"
        " `guest` where you know but his name and how to reach him: he is found, or created, as by a booking. A"
        " booking that names a user who is not linked yet links him, too.",
        params=UserPath,
        params_examples={"user_id": "u_5512"},
        body=UserLinked,
        body_example={"client_id": _EXAMPLE["client_id"]},
        returns={200: Returns("The user.", UserAnswer, _EXAMPLE)},
        links={200: {"read": Link("readUser", "Read it again.", {"path.user_id": "$request.path.user_id"})}},
        problems=("unknown_client",),
        writes=True,
    ),
)
