"""What became of one key: how each endpoint stands with it, and the sends of its newest version."""

from dataclasses import dataclass

from psycopg import AsyncConnection

from outbox import signing
from outbox.delivery.compose import compose
from outbox.keys import Key
from sql import ledger
from sql.delivery import Claim
from sql.ledger import Document, Told, Tried

_ANY_SIZE = 2**31


@dataclass(frozen=True, slots=True)
class Story:
    """One key's. document: None where there never was any; told: by endpoint; tried: newest first.

    Of availability, which is sent together with other room types, `tried` are the hotel's latest.
    """

    key: Key
    document: Document | None
    told: list[Told]
    tried: list[Tried]


async def story(conn: AsyncConnection, key: Key) -> Story:
    """What became of a key."""
    document = await ledger.document(conn, key)
    told = await ledger.told(conn, key)
    if key.kind == "availability":
        tried = await ledger.attempts(conn, of=("availability.updated", key.hotel_id))
    elif document is not None:
        ids = [_webhook_id(one, key, document) for one in told]
        tried = await ledger.attempts(conn, webhook_ids=[found for found in ids if found])
    else:
        tried = []
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
