"""How an endpoint is set up, and which of that is possible."""

import socket
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from outbox import signing
from outbox.delivery import reaching
from outbox.headers import check_headers
from outbox.keys import Kind
from outbox.secrets import Secrets
from outbox.signing import Signer

Format = Literal["standard-webhooks", "cache-refresh"]
"""How an endpoint is spoken to: it is sent what is, or asked to fetch what has changed."""
TYPES: tuple[str, ...] = tuple(kind for kind in get_args(Kind) if kind != "snapshot")
"""What an endpoint can subscribe to: what stands before the dot in a message's type."""
CACHED = ("hotel", "room_type", "availability")
"""What an engine keeps that is only asked to refresh it."""


class EndpointError(Exception):
    """An endpoint cannot be as asked; the message says what to do instead. It never shows a secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an endpoint is set up.

    url: http or https; of `cache-refresh` that of the engine's cache interface; format: how it is spoken to;
    secret: `whsec_…` or `whsk_…`; ca: PEM, the only authority that its certificate may be of; headers: sent with
    every message, by name; hotels: ids, None for all; types: kinds of documents, of TYPES, None for all that its
    format can tell; bookings: all, or only our own; guest_data: whether it may know of people; max_bytes: size of a
    message of many keys; concurrency: sends at the same time, if its format allows (`lanes`); rate_per_second:
    messages, of all workers together, 0 for no limit; heartbeat_seconds: 0 for none.

    Raises:
        EndpointError: a value is not possible.
    """

    name: str
    url: str
    format: Format = "standard-webhooks"
    secret: str = field(default_factory=signing.new_secret, repr=False)
    ca: str | None = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    hotels: list[int] | None = None
    types: list[str] | None = None
    bookings: Literal["all", "own"] = "all"
    guest_data: bool = False
    max_bytes: int = 20_000
    concurrency: int = 8
    rate_per_second: float = 0.0
    heartbeat_seconds: int = 60

    def __post_init__(self) -> None:
        check_url(self.url)
        signer_of(self.secret)
        _check_ca(self.url, self.ca)
        try:
            check_headers(self.headers)
        except ValueError as error:
            raise EndpointError(str(error)) from None
        if not self.name.strip():
            raise EndpointError("an endpoint needs a name")
        if self.hotels is not None and not self.hotels:
            raise EndpointError("name at least one hotel, or none at all for every hotel")
        if self.types is not None and (not self.types or set(self.types) - set(TYPES)):
            raise EndpointError(f"name types among {', '.join(TYPES)}, or none at all for every type")
        if self.format == "cache-refresh":
            self._check_cache_refresh()
        if self.bookings not in {"all", "own"}:
            raise EndpointError("bookings are 'all' or 'own'")
        _check_between("max_bytes", self.max_bytes, 1_000, 262_144)
        _check_between("concurrency", self.concurrency, 1, 100)
        _check_between("rate_per_second", self.rate_per_second, 0, 10_000)
        _check_between("heartbeat_seconds", self.heartbeat_seconds, 0, 86_400)

    @property
    def told(self) -> list[str] | None:
        """The kinds that it subscribes to, None for all: an engine's caches know only some."""
        return list(CACHED) if self.format == "cache-refresh" and self.types is None else self.types

    @property
    def lanes(self) -> int:
        """Sends at the same time. An engine that fetches the same twice at a time may keep what it read first."""
        return 1 if self.format == "cache-refresh" else self.concurrency

    def seal(self, secrets: Secrets) -> dict[str, Any]:
        """All of it as it is stored, what is secret encrypted."""
        return asdict(self) | {
            "types": self.told,
            "concurrency": self.lanes,
            "secret": secrets.encrypt(self.secret),
            "public_key": signer_of(self.secret).public,
            "headers": {name: secrets.encrypt(value) for name, value in self.headers.items()},
        }

    def _check_cache_refresh(self) -> None:
        if "?" in self.url or self.url.endswith("/"):
            raise EndpointError("the url of a cache interface is what comes before /update-hotels, without a query")
        if "authorization" not in {name.lower() for name in self.headers}:
            raise EndpointError("a cache interface asks for a key: add the header 'Authorization: Bearer …'")
        if set(self.types or ()) - set(CACHED):
            raise EndpointError(f"a cache interface is told of {', '.join(CACHED)} only")


def signer_of(secret: str) -> Signer:
    """What signs with a secret.

    Raises:
        EndpointError: it is none; the message says what one is.
    """
    try:
        return signing.signer(secret)
    except ValueError as error:
        raise EndpointError(str(error)) from None


def check_url(url: str) -> None:
    """Make sure that it is the URL of an endpoint; where it leads is not looked at.

    Raises:
        EndpointError: it is none; the message says what one is.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or any(ord(character) <= 32 for character in url):
        raise EndpointError("a url is http:// or https://, a host, perhaps a port, and a path")
    _check_host(parts.hostname or "")
    if "@" in parts.netloc:
        raise EndpointError("a url carries no user and no password: messages are signed instead")


def _check_ca(url: str, ca: str | None) -> None:
    if ca is None:
        return
    if not url.startswith("https:"):
        raise EndpointError("a certificate authority goes with an https:// url")
    try:
        reaching.tls(ca)
    except ValueError as error:
        raise EndpointError(str(error)) from None


def _check_host(host: str) -> None:
    """Take an IPv4 address in its usual form only; systems read `127.1`, `0x7f.1` and `2130706433`, too."""
    try:
        meant = socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return
    if meant != host:
        raise EndpointError(f"a url names an address as such: {meant}, not {host}")


def _check_between(name: str, value: float, least: int, most: int) -> None:
    if not least <= value <= most:
        raise EndpointError(f"{name} is between {least} and {most}, not {value}")
