"""Answers that are waited for later: within a pipeline, what is asked until then goes out together."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from psycopg import AsyncCursor

T = TypeVar("T")


class Later(Generic[T]):
    """The one row that a statement gives, if any, as `read` makes it out."""

    __slots__ = ("_cursor", "_read")

    def __init__(self, cursor: AsyncCursor[Any], read: Callable[[Any], T]) -> None:
        self._cursor = cursor
        self._read = read

    async def get(self) -> T:
        """Wait for it; once only."""
        return self._read(await self._cursor.fetchone())
