"""What a running daemon answers to those who operate it."""

from __future__ import annotations

import json
import re
from typing import Any

import aiohttp

from tests.support.daemon import Daemon, until


async def get(daemon: Daemon, path: str) -> tuple[int, str]:
    """Status and body of a GET from the daemon's HTTP server."""
    await daemon.logged('"serving"')
    found = re.search(r'"addresses": \["([^"]+)"', daemon.log())
    assert found is not None
    async with aiohttp.ClientSession() as session, session.get(found[1] + path) as response:
        return response.status, await response.text()


async def readiness(daemon: Daemon) -> tuple[int, dict[str, Any]]:
    """Status and body of `/readyz`."""
    status, text = await get(daemon, "/readyz")
    return status, json.loads(text)


async def ready(daemon: Daemon, role: str, seconds: float = 20.0) -> dict[str, Any]:
    """Wait until the daemon is ready in this role; returns what it says.

    Raises:
        AssertionError: it is not after so many seconds; with what it says.
    """
    said: dict[str, Any] = {}

    async def there() -> bool:
        nonlocal said
        status, said = await readiness(daemon)
        return status == 200 and said["role"] == role

    assert await until(there, seconds), f"not ready as {role}: {said}\n{daemon.log()}"
    return said


async def metrics(daemon: Daemon) -> dict[str, float]:
    """All samples of `/metrics`: name with labels → value."""
    status, text = await get(daemon, "/metrics")
    assert status == 200, text
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}
