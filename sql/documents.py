"""Looking at documents."""

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("documents.sql")


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many documents live, by kind."""
    return {kind: number async for kind, number in await conn.execute(_QUERIES["counts"])}
