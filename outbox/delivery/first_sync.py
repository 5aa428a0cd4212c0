"""A first sync's marks: everything an endpoint should know, in pages, by whichever worker sees that it is due.

Adding the endpoint noted a version while nobody was writing documents: whatever is older is visible here, whatever
is newer is marked by its writer. Until the last page nothing is sent, so that a worker that dies leaves nothing
behind but work that is done again.
"""

from functools import partial

from psycopg import AsyncConnection

from outbox.delivery.steady import steadily
from sql import endpoints
from sql.endpoints import START, Position
from sql.pool import Pool

_PAGE = 500
"""Documents; who writes one of them meanwhile waits until the page is marked."""


async def fill(pool: Pool, endpoint_id: int, version: int, *, page: int = _PAGE) -> bool:
    """Mark all that an endpoint subscribes to; false if another worker is at it or there is no need any more.

    `page` is how many marks one transaction writes.
    """
    while cleared := await steadily(pool, partial(_clear, endpoint_id=endpoint_id, version=version, page=page)):
        if cleared < page:
            break
    if cleared is None:
        return False
    after: Position | None = START
    while after is not None:
        step = partial(_fill, endpoint_id=endpoint_id, version=version, after=after, page=page)
        going, after = await steadily(pool, step)
        if not going:
            return False
    return True


async def _clear(conn: AsyncConnection, endpoint_id: int, version: int, page: int) -> int | None:
    async with conn.transaction():
        if not await endpoints.fence(conn, endpoint_id, version):
            return None
        return await endpoints.clear(conn, endpoint_id, version, page)


async def _fill(
    conn: AsyncConnection, endpoint_id: int, version: int, after: Position, page: int
) -> tuple[bool, Position | None]:
    async with conn.transaction():
        if not await endpoints.fence(conn, endpoint_id, version):
            return False, None
        last = await endpoints.fill(conn, endpoint_id, after, page)
        if last is None:
            await endpoints.close(conn, endpoint_id)
        return True, last
