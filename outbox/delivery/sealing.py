"""Keeping what is secret of endpoints: by the newest secret key, and no longer than it is needed."""

import contextlib

import psycopg
import structlog
from psycopg import AsyncConnection

from outbox.secrets import Secrets, SecretsError
from sql import endpoints
from sql.pool import Pool

_log = structlog.get_logger(__name__)


async def maintain(pool: Pool, secrets: Secrets | None) -> None:
    """Forget secrets whose grace has ended, and encrypt by the newest secret key what an older one encrypted.

    Neither is urgent: where the database does not answer, it is said and left for the next time.
    """
    try:
        async with pool.connection() as conn:
            await endpoints.forget(conn)
            if secrets and (resealed := await reseal(conn, secrets)):
                _log.info("secrets_encrypted_anew", endpoints=resealed)
    except psycopg.Error as error:
        # The rest of what PostgreSQL says may quote a row.
        _log.error("secrets_not_kept", error=error.diag.message_primary or type(error).__name__)


async def reseal(conn: AsyncConnection, secrets: Secrets) -> int:
    """Encrypt with the newest secret key what an older one has encrypted; returns of how many endpoints.

    What none of the keys has encrypted is left as it is.
    """
    resealed = 0
    for was in await endpoints.sealed(conn):
        if all(map(secrets.is_newest, was.stored)):
            continue
        with contextlib.suppress(SecretsError):
            renew = secrets.renew
            await endpoints.reseal(
                conn,
                was,
                secret=renew(was.secret),
                old_secret=renew(was.old_secret) if was.old_secret else None,
                headers={name: renew(value) for name, value in was.headers.items()},
            )
            resealed += 1
    return resealed
