"""How many requests a key may make in a minute, counted in this process or, for several of them, in Redis."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Self

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from api.access.windows import Windows
from api.request.problems import Problem

log = structlog.get_logger()

_FAILURES_A_MINUTE = 60
_SAY_AGAIN_AFTER = 60.0
_PATIENCE = 0.5
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left to a key. limit: requests a minute; reset: seconds until all of them are there again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    def headers(self) -> Mapping[str, str]:
        """The headers that say so (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w=60',
            "RateLimit": f'"minute";r={self.remaining};t={self.reset}',
        }


class Rates:
    """Counts. Where Redis is away each process counts by itself, which never refuses more."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = Windows()
        self._redis = _pool(redis_url) if redis_url else None
        self._shared = _limiter(redis_url, self._redis) if redis_url else None
        self._say_at = 0.0
        self._away_until = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def take(self, key_id: str, limit: int) -> Budget:
        """Count a request of a key; returns what is left."""
        return await self._take("key", key_id, limit)

    async def failed(self, address: str | None) -> None:
        """Count a refused key or token.

        Raises:
            Problem: there were too many from this address; they are no longer looked at.
        """
        budget = await self._take("refused", address or "", _FAILURES_A_MINUTE)
        if not budget.allowed:
            raise too_many(budget)

    async def _take(self, what: str, who: str, limit: int) -> Budget:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await _hit(self._shared, what, who, limit)
            except (StorageError, RedisError, OSError) as error:
                # Waiting for it is what the caller's answer would take.
                self._away_until = time.monotonic() + _PAUSE
                self._complain(error)
        count = self._own.hit((what, who), limit)
        return Budget(count.allowed, limit, count.remaining, count.reset)

    def _complain(self, error: Exception) -> None:
        if time.monotonic() >= self._say_at:
            self._say_at = time.monotonic() + _SAY_AGAIN_AFTER
            log.warning("rates_not_shared", error=type(error).__name__)


def too_many(budget: Budget) -> Problem:
    """The answer to one request too many."""
    headers = {**budget.headers(), "Retry-After": str(max(budget.reset, 1))}
    return Problem("rate_limited", headers=headers)


async def _hit(limiter: SlidingWindowCounterRateLimiter, what: str, who: str, limit: int) -> Budget:
    item = RateLimitItemPerMinute(limit)
    allowed = await limiter.hit(item, what, who)
    stats = await limiter.get_window_stats(item, what, who)
    return Budget(allowed, limit, max(int(stats.remaining), 0), max(ceil(stats.reset_time - time.time()), 0))


def _pool(url: str) -> ConnectionPool:
    return ConnectionPool.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)


def _limiter(url: str, pool: ConnectionPool | None) -> SlidingWindowCounterRateLimiter:
    storage = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]
    return SlidingWindowCounterRateLimiter(storage)
