"""The clock of transactions that others might wait for."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from sql.pms.brevity import OverdueError, brief


async def test_what_takes_too_long_is_overdue_whatever_it_says_of_its_end() -> None:
    """Who tidies up after a statement that was cancelled may find its connection closed."""

    async def work() -> None:
        async with brief():
            try:
                await asyncio.Event().wait()
            finally:
                raise psycopg.OperationalError("the connection is lost")

    with pytest.raises(OverdueError):
        await work()


@pytest.mark.parametrize(("silence", "overdue"), [(0.0, True), (60.0, False)])
async def test_a_connection_that_is_lost_is_overdue_once_the_server_may_have_ended_it(
    monkeypatch: pytest.MonkeyPatch, silence: float, *, overdue: bool
) -> None:
    monkeypatch.setattr("sql.pms.brevity._SILENCE", silence)
    with pytest.raises(psycopg.OperationalError) as caught:
        async with brief(60.0):
            raise psycopg.OperationalError("the connection is lost")
    assert isinstance(caught.value, OverdueError) == overdue


async def test_what_the_server_says_in_time_is_not_overdue() -> None:
    with pytest.raises(psycopg.errors.TooManyConnections):
        async with brief(60.0):
            raise psycopg.errors.TooManyConnections
