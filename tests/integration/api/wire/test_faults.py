"""Faults of ours and of the database: said as such, with nothing given away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from api.request.codes import CODES
from sql import content as stored
from tests.integration.api.wire.problems import is_problem
from tests.support.api import BACKGROUND, Api


async def test_a_fault_of_ours_gives_nothing_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("guest Tanaka, 090-5555-0187")

    monkeypatch.setattr(stored, "hotels", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await api.get("/hotels")
    assert is_problem(answer, 500, "internal_error")
    assert answer.body["detail"] == CODES["internal_error"].meaning
    (line,) = [line for line in logs if line["event"] == "api_error"]
    assert line["request_id"] == answer.body["request_id"]
    assert line["error"] == "RuntimeError"
    assert "list_hotels" in line["where"]
    assert "Tanaka" not in str(logs) + answer.raw.decode()
    assert api.mine not in str(logs)


async def test_a_database_that_is_away_is_503(api: Api) -> None:
    await api.context.pool.close()
    with structlog.testing.capture_logs() as logs:
        answer = await api.get("/hotels")
    assert is_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert [line["event"] for line in logs if line["event"] not in BACKGROUND] == ["api_unavailable"]


async def test_a_connection_that_broke_is_503_and_heals(api: Api) -> None:
    assert (await api.get("/hotels")).status == 200
    await api.desk.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'roomwire api'"
    )
    answers = [await api.get("/hotels") for _ in range(12)]
    assert {answer.status for answer in answers} <= {200, 503}
    assert answers[-1].status == 200


async def test_a_lock_that_is_not_to_be_had_is_503_in_less_than_a_second(api: Api) -> None:
    await api.get("/hotels")
    async with api.desk.transaction():
        await api.desk.execute("lock booking_engine.document in access exclusive mode")
        async with asyncio.timeout(8):  # a statement may take ten
            assert is_problem(await api.get("/room-types/1"), 503, "unavailable")
