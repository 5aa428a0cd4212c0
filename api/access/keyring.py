"""Verified keys, each kept for a few seconds so that a request costs no query.

A key that cannot be looked up again, because the database is away, is unproven: for a while it opens what is kept
in memory, and nothing else. Looking keys up has connections of its own, so that no other work delays it.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_network

from api.access import keys
from api.access.addresses import Network, is_in
from api.access.scopes import Access, Scope
from api.lookup import AwayError, Lookup
from api.request.problems import Problem
from sql import access
from sql.access import KeyRow

KEEP_SECONDS = 3.0
"""A key is looked up again after so long; one that was revoked works for so long, and while that look takes."""
AWAY_SECONDS = 900.0
"""For so long an unproven key opens what is in memory; no longer than a token is valid."""
_MOST = 10_000
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="roomwire"'}
REFUSED = {"WWW-Authenticate": 'Bearer realm="roomwire", error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class Held:
    """A key that was looked up. networks: None from anywhere."""

    access: Access
    digest: bytes
    networks: tuple[Network, ...] | None
    requests_per_minute: int

    def check(self, address: str | None, now: datetime) -> None:
        """Make sure that the key may be used now, from there.

        Raises:
            Problem: it has expired, or the address is not on its list.
        """
        if self.access.expires_at is not None and self.access.expires_at <= now:
            raise Problem("unauthorized", "The key has expired.", headers=REFUSED)
        if self.networks is not None and not is_in(address, self.networks):
            raise Problem("address_not_allowed")


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found of a key.

    looked: when the last look-up began; found: when the last one that was answered began (monotonic seconds);
    proven: they are the same one.
    """

    looked: float
    found: float
    held: Held | None
    proven: bool = True


class Keyring:
    """Looks keys up. Attributes: used: key id → when it was used last, until somebody writes that down."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self.used: dict[str, datetime] = {}

    async def verify(self, text: str, address: str | None) -> Held:
        """The key with this text.

        Raises:
            Problem: it is no key of ours, or may not be used now, or not from this address.
            AwayError: the database cannot be asked, and the key is not among those that were used lately.
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
        known = self._known.get(key_id)
        if known is not None and known.proven and now - known.looked < KEEP_SECONDS:
            return known.held
        if known is not None:
            self._known[key_id] = replace(known, looked=now)
        try:
            row = await self._lookup.ask(lambda conn: access.key(conn, key_id))
        except AwayError:
            if known is not None and known.held is not None and now - known.found < AWAY_SECONDS:
                self._known[key_id] = replace(known, proven=False)
                return replace(known.held, access=replace(known.held.access, checked=False))
            self._known.pop(key_id, None)
            raise
        except BaseException:
            self._known.pop(key_id, None)
            raise
        held = _held(key_id, row) if row and row.revoked_at is None else None
        self._known[key_id] = _Known(now, now, held)
        self._known.move_to_end(key_id)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return held


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
