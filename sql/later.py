"""Answers that are waited for later: what is sent in a pipeline until then goes out together."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from psycopg import AsyncCursor

T = TypeVar("T")


class Later(Generic[T]):
    """The answer of a statement that gives one row or none: what `read` makes of that row, or of None."""

    __slots__ = ("_cursor", "_read")

    def __init__(self, cursor: AsyncCursor[Any], read: Callable[[Any], T]) -> None:
        self._cursor = cursor
        self._read = read

    async def get(self) -> T:
        """Wait for it; once only."""
        return self._read(await self._cursor.fetchone())
