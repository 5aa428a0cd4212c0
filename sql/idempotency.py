"""Answers that are given once and repeated: by client and Idempotency-Key, kept in the transaction they answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from sql.queries import load

_QUERIES = load("idempotency.sql")


@dataclass(frozen=True, slots=True)
class Request:
    """Names a request. client: the scope of its key; fingerprint: digest of what it asks."""

    client: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. body: its bytes as sent; fingerprint: of the request that it answers."""

    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


async def claim(conn: AsyncConnection, request: Request) -> bool:
    """Keep others from this client's key until the caller's transaction ends; False where another is at it."""
    values = {"client": request.client, "key": request.key}
    row = await (await conn.execute(_QUERIES["claim"], values)).fetchone()
    return bool(row and row[0])


async def find(conn: AsyncConnection, request: Request) -> Answer | None:
    """The answer that was given to this client's key. To be asked after `claim`, not with it."""
    values = {"client": request.client, "key": request.key}
    row = await (await conn.execute(_QUERIES["find"], values)).fetchone()
    return Answer(bytes(row[0]), row[1], row[2], bytes(row[3])) if row else None


async def keep(conn: AsyncConnection, request: Request, answer: Answer) -> None:
    """Store the answer, to be repeated from now on."""
    values = {
        "client": request.client, "key": request.key, "fingerprint": answer.fingerprint,
        "status": answer.status, "headers": Jsonb(dict(answer.headers)), "body": answer.body,
    }  # fmt: skip
    await conn.execute(_QUERIES["keep"], values)


async def forget(conn: AsyncConnection, *, days: int, limit: int) -> int:
    """Delete some answers that are older than so many days; returns how many."""
    return (await conn.execute(_QUERIES["forget"], {"days": days, "limit": limit})).rowcount
