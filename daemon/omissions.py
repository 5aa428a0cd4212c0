"""What a publication leaves out is in no stream: noticed while leading, and made up for afterwards.

Whoever takes a table out of the publication, or drops it, loses changes without a word; from PostgreSQL 18 on the
server does not even end a stream whose publication is gone.
"""

import asyncio

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from daemon.replication import slot as slots
from daemon.replication.errors import (
    ConnectionLostError,
    PublicationFaultyError,
    PublicationMissingError,
    ReplicationError,
    SlotMissingError,
)
from daemon.replication.publication import check_publication
from daemon.settings import Settings
from sql import scopes
from sql.pms.tables import FOLLOWED
from sql.pool import Pool

log = structlog.get_logger()

_BETWEEN_LOOKS = 5.0
_FAULTS = (PublicationFaultyError, PublicationMissingError)


async def watch_publication(pool: Pool, settings: Settings) -> None:
    """Look at the publication again and again, for as long as the slot is read with pgoutput.

    Raises:
        PublicationMissingError: it is gone.
        PublicationFaultyError: it leaves something out.
    """
    while True:
        await asyncio.sleep(_BETWEEN_LOOKS)
        try:
            async with pool.connection() as conn:
                if (await slots.inspect(conn, settings.slot)).plugin == "wal2json":
                    return
                await check_publication(conn, settings.publication, FOLLOWED)
        except _FAULTS:
            raise
        except (ReplicationError, psycopg.OperationalError, PoolTimeout) as error:
            log.debug("publication_not_seen", error=str(error))


async def make_up(pool: Pool, settings: Settings) -> bool:
    """Put a resync on the list, for who leads once the publication is sound; returns whether it is already.

    If it is, the slot may stand where it was not, and can be read no further: it is dropped, to be made anew.

    Raises:
        ReplicationError: somebody reads the slot, or the database cannot be reached.
    """
    try:
        async with pool.connection() as conn:
            async with conn.transaction():
                await scopes.add_resync(conn, None, "the publication left out changes")
            await check_publication(conn, settings.publication, FOLLOWED)
            log.warning("slot_dropping", slot=settings.slot, reason="it stands before the publication")
            await slots.drop(conn, settings.slot)
    except _FAULTS:
        return False
    except SlotMissingError:
        return True
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise ConnectionLostError(" ".join(str(error).split())) from error
    return True
