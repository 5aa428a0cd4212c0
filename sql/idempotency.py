"""Answers that are given once and repeated: by client and Idempotency-Key, kept in the transaction they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from sql.later import Later
from sql.links import ADDED, FARED, Link
from sql.pms.brevity import ACT_AS
from sql.pms.clients import ALONE
from sql.queries import fill, load

_QUERIES = load("idempotency.sql")
_CLAIM = fill(_QUERIES["claim"], act_as=ACT_AS)
_CLAIM_OURS = fill(_QUERIES["claim"], act_as=SQL("null"))
_FREE = SQL("exists (select from claimed c where c.mine and c.status is null)")
_CLAIM_AND_ADD = fill(
    _QUERIES["claim_and_add"], claim=_CLAIM, added=fill(ADDED, wanted=_FREE), fared=FARED, free=_FREE, alone=ALONE
)


@dataclass(frozen=True, slots=True)
class Request:
    """Names a request.

    client: the scope of its key; fingerprint: digest of what it asks; rights: what who asks may see, as JSON.
    """

    client: str
    key: str
    fingerprint: bytes
    rights: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. body: its bytes as sent; fingerprint, rights: of the request that it answers."""

    fingerprint: bytes
    rights: Mapping[str, Any]
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of a claim.

    mine: nobody else is at the key; known: the answer that was given to it; added: the link that was asked for was.
    """

    mine: bool
    known: Answer | None
    added: bool = False


async def claim(conn: AsyncConnection, request: Request, user: int | None, more: float = 0.0) -> Claim:
    """As `ask`, and wait for the answer."""
    return await (await ask(conn, request, user, more)).get()


async def ask(
    conn: AsyncConnection,
    request: Request,
    user: int | None,
    more: float = 0.0,
    link: Link | None = None,
    *,
    contact: str | None = None,
) -> Later[Claim]:
    """Keep others from this client's key until the caller's transaction ends, and look up its answer.

    Does also what `sql.pms.brevity.act_as` does: it is what every transaction that writes into the PMS begins with;
    user None: this one does not. more: as `sql.pms.brevity.brief` has it. link: of what is to be booked, added if
    the key is mine and has no answer; another transaction that adds the same is waited for. contact: of the guest
    for whom it is, as `sql.pms.clients.contact` has it; another that may make the same guest is waited for, too.

    One that was given while we came in is not seen; `keep` then fails, and the next claim finds it.
    """
    values = {"client": request.client, "key": request.key, "user": user, "more": round(more * 1000)}
    if link is not None:
        return Later(await conn.execute(_CLAIM_AND_ADD, values | link.values() | {"contact": contact}), _claim)
    return Later(await conn.execute(_CLAIM if user is not None else _CLAIM_OURS, values), _claim)


def _claim(row: tuple[Any, ...]) -> Claim:
    _, mine, fingerprint, rights, status, headers, body, *ahead = row
    known = None if status is None else Answer(bytes(fingerprint), rights, status, headers, bytes(body))
    return Claim(mine, known, *ahead[:1])


async def keep(conn: AsyncConnection, request: Request, answer: Answer) -> None:
    """Store the answer, to be repeated from now on.

    Raises:
        psycopg.errors.UniqueViolation: there is one; as late as at the end of a pipeline.
    """
    values = {
        "client": request.client, "key": request.key, "fingerprint": answer.fingerprint,
        "rights": Jsonb(dict(answer.rights)),
        "status": answer.status, "headers": Jsonb(dict(answer.headers)), "body": answer.body,
    }  # fmt: skip
    await conn.execute(_QUERIES["keep"], values)


async def forget(conn: AsyncConnection, *, days: int, limit: int) -> int:
    """Delete some answers that are older than so many days; returns how many."""
    return (await conn.execute(_QUERIES["forget"], {"days": days, "limit": limit})).rowcount
