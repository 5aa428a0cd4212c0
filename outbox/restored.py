"""What follows from a database that was put back: engines have newer versions than it knows of, and ignore its own.

So everything is compared with the PMS, then every document that has not changed by that gets a new version: the
clock's, which is above all that was sent. Last each endpoint gets the lists of what there is, and drops the rest.
"""

import json

from psycopg import AsyncConnection

from sql import checkpoint, projection, scopes, versions
from sql.scopes import Work

_PAGE = 200
_ROOM_TYPES_A_PAGE = 4
"""Each has 732 nights."""


async def note(conn: AsyncConnection, slot: str, reason: str) -> None:
    """Put all of it on the list of durable work, in the caller's transaction; operators see when and why."""
    await checkpoint.note_restored(conn, slot, reason)
    await scopes.add_resync(conn, None, reason)
    await scopes.add(conn, "versions", None, reason)


async def page(conn: AsyncConnection, work: Work) -> None:
    """Raise the versions of the next documents; after the last, have endpoints drop what is gone.

    Raises:
        psycopg.errors.LockNotAvailable: documents are being written; try again.
    """
    kind, hotel_id, id_ = json.loads(work.cursor) if work.cursor else (versions.KINDS[0], 0, "")
    if kind is None:
        await versions.close(conn, work.reason)
        await scopes.finish(conn, work)
        return
    total = await versions.count(conn) if work.total is None else work.total
    size = _ROOM_TYPES_A_PAGE if kind == "availability" else _PAGE
    # Before the documents, as whoever writes them.
    await projection.lock_endpoints(conn)
    found = await versions.page(conn, kind, (hotel_id, id_), size)
    floor = await versions.floor(conn, work.id)
    # Version 0 is nobody's yet; what was written since has one of its own.
    if old := [one for one in found if 0 < one.version < floor]:
        await versions.raise_(conn, kind, old, floor)
    await scopes.step(conn, work, cursor=_following(kind, found, size), done=len(found), total=total)


def _following(kind: str, found: list[versions.Document], size: int) -> str:
    """Where the next page begins: after the last document, or with the next kind; no kind after all of them."""
    if len(found) == size:
        return json.dumps([kind, found[-1].hotel_id, found[-1].id])
    later = versions.KINDS[versions.KINDS.index(kind) + 1 :]
    return json.dumps([later[0] if later else None, 0, ""])
