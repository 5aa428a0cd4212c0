"""Keys as they are checked: a verified one is kept for a few seconds, so that a request costs no query."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from api.access import keys
from api.access.scopes import Access, Scope
from api.problems import Problem
from sql import access
from sql.access import KeyRow
from sql.pool import Pool

KEEP_SECONDS = 3.0
"""A key that was revoked works for so long at most."""
_MOST = 10_000
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="roomwire"'}
REFUSED = {"WWW-Authenticate": 'Bearer realm="roomwire", error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class Held:
    """A key that was looked up. networks: None from anywhere."""

    access: Access
    digest: bytes
    networks: tuple[IPv4Network | IPv6Network, ...] | None
    requests_per_minute: int

    def check(self, address: str | None, now: datetime) -> None:
        """Make sure that the key may be used now, from there.

        Raises:
            Problem: it has expired, or the address is not on its list.
        """
        if self.access.expires_at is not None and self.access.expires_at <= now:
            raise Problem("unauthorized", "The key has expired.", headers=REFUSED)
        if self.networks is not None and not _within(address, self.networks):
            raise Problem("address_not_allowed")


class Keyring:
    """Looks keys up. Attributes: used: key id → when it was used last, until somebody writes that down."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._held: OrderedDict[str, tuple[float, Held | None]] = OrderedDict()
        self.used: dict[str, datetime] = {}

    async def verify(self, text: str, address: str | None) -> Held:
        """The key that this text is.

        Raises:
            Problem: it is none that may be used now, from there.
            psycopg.Error: the database cannot be asked.
        """
        key_id = keys.key_id(text)
        held = await self._held_key(key_id) if key_id else None
        if key_id is None or held is None or not keys.matches(text, held.digest):
            raise Problem("unauthorized", "This is no valid API key.", headers=REFUSED)
        return self._use(held, address)

    async def verify_id(self, key_id: str, address: str | None) -> Held:
        """The key that a token was made with; raises as `verify`."""
        held = await self._held_key(key_id)
        if held is None:
            raise Problem("unauthorized", "The key of this token is no longer valid.", headers=REFUSED)
        return self._use(held, address)

    def _use(self, held: Held, address: str | None) -> Held:
        now = datetime.now(UTC)
        held.check(address, now)
        self.used[held.access.key_id] = now
        return held

    async def _held_key(self, key_id: str) -> Held | None:
        """The key, looked up unless that was done just now; None where there is none or it was revoked.

        While one request looks again, others go by what is known.
        """
        now = time.monotonic()
        known = self._held.get(key_id)
        if known is not None and now - known[0] < KEEP_SECONDS:
            return known[1]
        if known is not None:
            self._held[key_id] = (now, known[1])
        try:
            held = await self._look_up(key_id)
        except BaseException:
            self._held.pop(key_id, None)
            raise
        self._held[key_id] = (now, held)
        self._held.move_to_end(key_id)
        if len(self._held) > _MOST:
            self._held.popitem(last=False)
        return held

    async def _look_up(self, key_id: str) -> Held | None:
        async with self._pool.connection(timeout=5) as conn:
            row = await access.key(conn, key_id)
        return _held(key_id, row) if row and row.revoked_at is None else None


def _held(key_id: str, row: KeyRow) -> Held:
    scopes: frozenset[Scope] = frozenset(row.scopes)  # type: ignore[arg-type]  # the words that `key create` let in
    may = Access(
        key_id=key_id,
        source=row.client,
        scopes=scopes,
        hotels=None if row.hotels is None else frozenset(row.hotels),
        expires_at=row.expires_at,
    )
    networks = None if row.addresses is None else tuple(ip_network(one) for one in row.addresses)
    return Held(may, bytes(row.digest), networks, row.requests_per_minute)


def _within(address: str | None, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    if address is None:
        return False
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)
