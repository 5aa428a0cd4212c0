"""Making, rotating and revoking keys: what operators do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from psycopg import AsyncConnection

from api.access.keys import NewKey, new_key
from api.access.scopes import SCOPES
from sql import access

REQUESTS_PER_MINUTE = 6_000
OVERLAP = timedelta(days=1)


class IssueError(Exception):
    """A key cannot be as asked; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a key shall be.

    client: the booking engine's name, the same for all of its keys; hotels: ids, None for every hotel; addresses:
    CIDR ranges it may be used from, None for anywhere; lifetime: None for ever.

    Raises:
        IssueError: a value is not possible.
    """

    client: str
    scopes: Sequence[str] = ("read",)
    hotels: Sequence[int] | None = None
    addresses: Sequence[str] | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    lifetime: timedelta | None = None

    def __post_init__(self) -> None:
        if not self.client.strip() or not self.client.isprintable():
            raise IssueError("a key needs the name of the booking engine that gets it")
        if not self.scopes or set(self.scopes) - set(SCOPES):
            raise IssueError(f"the scopes are {', '.join(SCOPES)}")
        if self.hotels is not None and not self.hotels:
            raise IssueError("name at least one hotel, or none at all for every hotel")
        if self.requests_per_minute < 1:
            raise IssueError("a key may make at least one request a minute")
        for address in self.addresses or ():
            _check_address(address)


async def create(conn: AsyncConnection, wanted: Wanted) -> NewKey:
    """Make a key; its text is stored nowhere."""
    made = new_key()
    given = {
        "id": made.id,
        "digest": made.digest,
        "client": wanted.client.strip(),
        "scopes": [scope for scope in SCOPES if scope in wanted.scopes],
        "hotels": None if wanted.hotels is None else sorted(set(wanted.hotels)),
        "addresses": None if wanted.addresses is None else list(wanted.addresses),
        "requests_per_minute": wanted.requests_per_minute,
        "expires_at": _expiry(wanted.lifetime),
    }
    await access.add_key(conn, given)
    return made


async def rotate(
    conn: AsyncConnection, key_id: str, *, overlap: timedelta = OVERLAP, lifetime: timedelta | None = None
) -> tuple[NewKey, datetime]:
    """Make a key with the rights of another, which works for `overlap` longer; returns the new one, and until when.

    Raises:
        IssueError: no valid key has this id.
    """
    made = new_key()
    ends_at = await access.rotate_key(
        conn, key_id, key_id=made.id, digest=made.digest, overlap=overlap, expires_at=_expiry(lifetime)
    )
    if ends_at is None:
        raise IssueError(f"no valid key has the id {key_id!r}; `roomwire key list` shows them")
    return made, ends_at


async def revoke(conn: AsyncConnection, key_id: str) -> None:
    """Refuse a key, and the tokens made with it, from a few seconds from now on.

    Raises:
        IssueError: no key has this id.
    """
    if not await access.revoke_key(conn, key_id):
        raise IssueError(f"no key has the id {key_id!r}; `roomwire key list` shows them")


def _check_address(address: str) -> None:
    try:
        ip_network(address)
    except ValueError:
        raise IssueError(f"{address!r} is no address and no CIDR range, such as 203.0.113.0/24") from None


def _expiry(lifetime: timedelta | None) -> datetime | None:
    return None if lifetime is None else datetime.now(UTC) + lifetime
