"""What every handler works with, and how it is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg import AsyncConnection

from api.access.addresses import Network
from api.access.gate import Gate
from api.access.journal import Journal
from api.access.keyring import Keyring
from api.access.rates import Rates
from api.access.tokens import Tokens
from api.availability.calendars import Calendars
from api.events.heads import Heads
from api.freshness import Freshness
from api.hotels import Hotels
from api.lookup import Lookup
from api.prices.tariffs import Tariffs
from api.writes.turns import Turns
from outbox.delivery.outbound import Outbound
from outbox.secrets import Secrets
from sql.pool import Pool

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an operator decides of the API.

    slot: whose checkpoint says how fresh documents are; agent: channel name of our bookings; pms_user: users.id we
    write as; time_zone: the hotels', IANA; redis_url: where rates are counted, None for this process alone;
    allowed: networks that endpoints may be in though they are not public; proxies: that are trusted to name the
    caller; audit_days: for how long the audit log is kept; held_rooms: that a client may hold at a time.
    """

    slot: str = "roomwire"
    agent: str = "roomwire"
    pms_user: int = 2
    time_zone: str = "Asia/Tokyo"
    redis_url: str | None = None
    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    audit_days: int = 365
    held_rooms: int = 100


@dataclass(frozen=True, slots=True)
class Context:
    """The API's context.

    Attributes:
        pool: connections as the writer role, in autocommit, with `my_app.user_id` set for the session; take them by
            `connection`.
        writers: connections for writing into the PMS, likewise; few, so that what they have planned is used.
        checks: connections for checking keys, and nothing else.
        secrets: for signing and encrypting.
        options: the operator's.
        freshness: of the documents.
        calendars: of the hotels, finished.
        prices: of the hotels, as they are in the PMS now.
        turns: of those who write into it.
        hotels: that there are.
        heads: of the feed, for those who wait for it to go on.
        outbound: what sending to endpoints needs.
        gate: who may come in.
        journal: what is written down of calls.
    """

    pool: Pool
    writers: Pool
    checks: Pool
    secrets: Secrets
    options: Options
    freshness: Freshness
    calendars: Calendars
    prices: Tariffs
    turns: Turns
    hotels: Hotels
    heads: Heads
    outbound: Outbound
    gate: Gate
    journal: Journal

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection, in autocommit; waits five seconds for one.

        Raises:
            PoolTimeout: all are taken; the API answers 503.
        """
        async with self.pool.connection(timeout=_PATIENCE) as conn:
            yield conn

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection for writing into the PMS, likewise."""
        async with self.writers.connection(timeout=_PATIENCE) as conn:
            yield conn


def build(pool: Pool, writers: Pool, checks: Pool, secrets: Secrets, options: Options) -> Context:
    """Put the API's context together. Its journal is kept by whoever runs it: `context.journal.keep()`."""
    lookup = Lookup(pool)
    keyring = Keyring(Lookup(checks))
    return Context(
        pool=pool,
        writers=writers,
        checks=checks,
        secrets=secrets,
        options=options,
        freshness=Freshness(lookup, options.slot),
        calendars=Calendars(lookup, options.slot),
        prices=Tariffs(),
        turns=Turns(),
        hotels=Hotels(lookup),
        heads=Heads(pool),
        outbound=Outbound(secrets, options.allowed),
        gate=Gate(keyring, Tokens(secrets), Rates(options.redis_url)),
        journal=Journal(pool, keyring.used, options.audit_days),
    )
