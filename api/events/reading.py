"""Reading the feed: events with what is newest of the things they tell of, as the webhooks say it."""

from dataclasses import dataclass

from api.access.scopes import Access
from api.context import Context
from api.request.problems import Problem
from outbox.delivery.compose import Message, compose
from sql import feed
from sql.delivery import Claim

_ALONE = 1 << 20
"""Bytes that one key's message may have; the largest have a quarter of that."""


@dataclass(frozen=True, slots=True)
class Event:
    """A message and its position."""

    position: int
    message: Message


@dataclass(frozen=True, slots=True)
class Read:
    """Some events in the order of their positions; end: where to read on; more: whether there are more now."""

    events: list[Event]
    end: int
    more: bool


async def read(context: Context, access: Access, asked: feed.Asked, after: int, limit: int) -> Read:
    """Read up to `limit` events after a position. Fewer do not mean that there are no more.

    Raises:
        Problem: `cursor_expired`.
    """
    async with context.connection() as conn:
        page = await feed.read(conn, after, asked, limit)
        # Asked afterwards: of what was dropped before, the read may have missed something.
        floor = await feed.floor(conn)
    if after < floor:
        raise Problem("cursor_expired")
    events = [Event(claim.place, message) for claim in page.claims for message in told(claim, access)]
    return Read(events, page.end, page.more)


def told(claim: Claim, access: Access) -> list[Message]:
    """What is said of one thing, if anything: guests only to those who may know them."""
    return compose([claim], guest_data=access.may("guest-data"), max_bytes=_ALONE).messages
