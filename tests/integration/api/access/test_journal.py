"""The record of writes and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import structlog

from api.access import journal
from api.metrics import AUDIT_LOST
from tests.support.api import Api
from tests.support.daemon import until


async def test_writes_and_refusals_are_audited(api: Api) -> None:
    await api.get("/hotels")
    await api.get("/hotels", key="wrong", headers={"X-Request-Id": "refused-1"})
    await api.get("/hotels/1", key=await api.key(scopes=("book",)), headers={"X-Request-Id": "refused-2"})
    await api.post("/auth/token", {"user_id": "u1"}, headers={"X-Request-Id": "written-1"})

    async def written() -> bool:
        return bool(await api.value("select count(*) = 3 from booking_engine.audit_log"))

    assert await until(written, 60)
    rows = await api.rows(
        "select request_id, source, host(address), method, path, status, code from booking_engine.audit_log"
        " order by request_id"
    )
    base = "/api/booking-engine"
    assert rows == [
        ("refused-1", None, "127.0.0.1", "GET", f"{base}/hotels", 401, "unauthorized"),
        ("refused-2", "engine", "127.0.0.1", "GET", f"{base}/hotels/1", 403, "insufficient_scope"),
        ("written-1", "engine", "127.0.0.1", "POST", f"{base}/auth/token", 200, None),
    ]


async def test_the_last_use_of_a_key_is_noted(api: Api) -> None:
    await api.get("/hotels")

    async def noted() -> bool:
        return bool(
            await api.value("select last_used_at from booking_engine.api_keys where id = %s", api.mine[3:15])
        )

    assert await until(noted, 60)


async def test_the_audit_log_is_kept_for_so_long(api: Api) -> None:
    await api.desk.execute(
        "insert into booking_engine.audit_log (at, request_id, method, path, status, took_ms)"
        " select clock_timestamp() - n * interval '1 day', n::text, 'POST', '/', 200, 1"
        " from unnest(array[364, 366, 400]) as n"
    )
    await api.context.journal.forget()
    assert await api.rows("select request_id from booking_engine.audit_log") == [("364",)]


async def test_what_cannot_be_written_now_is_written_later(api: Api) -> None:
    async with api.desk.transaction():
        await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
        await api.post("/auth/token", {})
        with pytest.raises(Exception, match="lock timeout"):
            await api.context.journal.write()
    await api.context.journal.write()
    assert await api.value("select count(*) from booking_engine.audit_log") == 1


async def test_too_many_unwritten_lines_are_lost_oldest_first_and_that_is_said(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST", 3)
    with structlog.testing.capture_logs() as logs:
        async with api.desk.transaction():
            await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
            for n in range(5):
                await api.post("/auth/token", {}, headers={"X-Request-Id": f"request-{n}"})

        async def written() -> bool:
            await api.context.journal.write()
            return bool(await api.value("select count(*) = 3 from booking_engine.audit_log"))

        assert await until(written, 60)
        assert await until(said(logs), 60)
    assert await api.rows("select request_id from booking_engine.audit_log order by 1") == [
        (f"request-{n}",) for n in (2, 3, 4)
    ]
    assert [line["lines"] for line in logs if line["event"] == "audit_lost"] == [2]


async def test_a_line_that_the_database_refuses_is_lost_alone(api: Api) -> None:
    def lost() -> float:
        return float(AUDIT_LOST.labels("refused")._value.get())

    async def written() -> bool:
        await api.context.journal.write()
        return not lines

    before, lines = lost(), api.context.journal._lines
    with structlog.testing.capture_logs() as logs:
        async with api.desk.transaction():
            # Nobody else writes them meanwhile.
            await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
            for n in range(9):
                await api.post("/auth/token", {}, headers={"X-Request-Id": f"request-{n}"})
            lines[2] = replace(lines[2], address="fe80::1%eth0")
            lines[5] = replace(lines[5], path="/\udcff")
            lines[6] = replace(lines[6], method="\0")
        assert await until(written, 60)
    ids = [row[0] for row in await api.rows("select request_id from booking_engine.audit_log order by id")]
    assert ids == [f"request-{n}" for n in range(9) if n not in {2, 5, 6}]
    assert lost() == before + 3
    refused = [line["request_id"] for line in logs if line["event"] == "audit_refused"]
    assert refused == [f"request-{n}" for n in (2, 5, 6)]


def said(logs: Any) -> Any:
    """Whether lines were said to be lost."""

    async def lost() -> bool:
        return any(line["event"] == "audit_lost" for line in logs)

    return lost
