"""A process of which one part breaks ends, with that part's error: it never lives on as half of itself."""

from __future__ import annotations

import asyncio
import os

import pytest

from daemon import serving, supervisor
from daemon.parts import PARTS, PartEndedError
from daemon.settings import Settings, read
from outbox.delivery import worker
from tests.support.daemon import Roomwire
from tests.support.servers import ON_PG18

PATIENCE = 30.0
pytestmark = ON_PG18
"""How parts of a process end together does not depend on the server."""


class BrokenError(Exception):
    """What a part ends with."""


async def breaks(*_: object, **__: object) -> None:
    """A part that works for a moment, and then no more."""
    await asyncio.sleep(0)
    raise BrokenError


@pytest.fixture
def settings(roomwire: Roomwire, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a process on this test's database."""
    for name, value in roomwire.environment().items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    return read()


async def ended(settings: Settings) -> BaseException:
    """What ended a process of all parts."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the caller looks at it
        async with asyncio.timeout(PATIENCE):
            await supervisor.supervise(settings, PARTS)
    return caught.value


@pytest.mark.parametrize(
    "part",
    [
        (supervisor, "follow"),
        (supervisor, "run_delivery"),
        (worker, "_look"),
        (worker, "_maintain_hourly"),
        (serving, "keep_sweeping"),
    ],
    ids=lambda part: part[1],
)
async def test_a_part_that_breaks_ends_the_process(
    settings: Settings, part: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*part, breaks)
    error = await ended(settings)
    assert isinstance(error, BaseExceptionGroup)
    assert error.subgroup(BrokenError)


@pytest.mark.parametrize("part", ["follow", "run_delivery", "run_feed"])
async def test_a_part_that_ends_without_an_error_ends_the_process_with_one(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(supervisor, part, ends)
    error = await ended(settings)
    assert isinstance(error, BaseExceptionGroup)
    assert error.subgroup(PartEndedError)


async def test_all_parts_that_break_at_once_end_the_process(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ((supervisor, "follow"), (worker, "_look"), (serving, "keep_sweeping")):
        monkeypatch.setattr(*part, breaks)
    assert isinstance(await ended(settings), BaseExceptionGroup)
