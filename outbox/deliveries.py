"""What became of one key: how each endpoint stands with it, and the sends of its newest version."""

from dataclasses import dataclass

from psycopg import AsyncConnection

from outbox import signing
from outbox.delivery.cache_refresh import CALLS
from outbox.delivery.compose import compose
from outbox.keys import Key
from sql import ledger
from sql.delivery import Claim
from sql.ledger import Document, Told, Tried

_ANY_SIZE = 2**31


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one key. document: None where there never was one; told: by endpoint; tried: newest first.

    Of what is sent, or fetched by an engine, together with other things, `tried` are the hotel's latest.
    """

    key: Key
    document: Document | None
    told: list[Told]
    tried: list[Tried]


async def story(conn: AsyncConnection, key: Key) -> Story:
    """What became of a key."""
    document = await ledger.document(conn, key)
    told = await ledger.told(conn, key)
    if document is None:
        return Story(key, document, told, [])
    types = [call] if (call := CALLS.get(key.kind)) else []
    if key.kind == "availability":
        tried = await ledger.attempts(conn, types=[*types, "availability.updated"], hotel=key.hotel_id)
    else:
        ids = [found for one in told if (found := _webhook_id(one, key, document))]
        tried = await ledger.attempts(conn, webhook_ids=ids, types=types, hotel=key.hotel_id)
    return Story(key, document, told, tried)


def _webhook_id(told: Told, key: Key, document: Document) -> str | None:
    """The id that the newest version has, sent to this endpoint."""
    claim = Claim(
        *key,
        marked=document.version,
        acked=0,
        place=0,
        sent=True,
        tries=0,
        version=document.version,
        born=document.born,
        body=document.body,
        committed_at=document.committed_at,
        days=None,
        sellable=None,
        occupied=None,
    )
    messages = compose([claim], guest_data=told.guest_data, max_bytes=_ANY_SIZE).messages
    return signing.webhook_id(told.id, messages[0].type, messages[0].data) if messages else None
