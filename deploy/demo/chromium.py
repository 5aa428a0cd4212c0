"""Chromium without a window, told what to do over the DevTools protocol: opens a page, asks it, photographs it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing is fetched but the page: no updates, no first-run pages, no reports.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
LARGEST = 64 * 1024 * 1024
PATIENCE = 30.0
"""Seconds that the browser may take to start, and a condition to come true."""


class ChromiumError(RuntimeError):
    """Chromium is missing, did not start, or reports an error of the page."""


def installed() -> str | None:
    """The path of a Chromium on this machine, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket, self._session = socket, session
        self._numbers = count(100)

    async def show(self, url: str, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Open an address in a window of this size in CSS pixels, each one and a half of the picture's."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        size = {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": width < 600}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        await self.ask("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is awaited.

        Raises:
            ChromiumError: It throws.
        """
        told = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise ChromiumError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def until(self, expression: str, seconds: float = PATIENCE) -> None:
        """Wait until a JavaScript expression is true, looking at each frame that is drawn.

        Raises:
            TimeoutError: It is not after so many seconds.
        """
        async with asyncio.timeout(seconds):
            while not await self.evaluate(f"new Promise(r => setTimeout(() => r(Boolean({expression})), 50))"):
                pass

    async def photograph(self, file: Path) -> None:
        """Write a PNG of what the window shows."""
        told = await self.ask("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(told["data"]))

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result.

        Raises:
            ChromiumError: The browser refuses it.
        """
        return await _ask(self._socket, next(self._numbers), method, params, self._session)


@asynccontextmanager
async def browsing() -> AsyncIterator[Tab]:
    """A browser with a new profile and one tab; both are gone after the block.

    Raises:
        ChromiumError: There is no Chromium, or it does not start.
    """
    path = installed()
    if path is None:
        raise ChromiumError("Chromium is not installed: apt-get install chromium")
    profile = Path(tempfile.mkdtemp(prefix="roomwire-chromium-"))
    process = await asyncio.create_subprocess_exec(
        path,
        *QUIET,
        f"--user-data-dir={profile}",
        env={**os.environ, "TMPDIR": str(profile)},  # it leaves things behind
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        address = await _address(process.stderr)
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=LARGEST) as socket:
            target = await _ask(socket, 1, "Target.createTarget", {"url": "about:blank"})
            attach = {"targetId": target["targetId"], "flatten": True}
            session = await _ask(socket, 2, "Target.attachToTarget", attach)
            yield Tab(socket, session["sessionId"])
            await _ask(socket, 3, "Browser.close", {})
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
        await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)


async def _address(output: asyncio.StreamReader) -> str:
    """The DevTools address that Chromium prints once it listens."""
    said = b""
    async with asyncio.timeout(PATIENCE):
        async for line in output:
            said += line
            if line.startswith(b"DevTools listening on "):
                return line.split()[-1].decode()
    raise ChromiumError(f"Chromium did not start: {said.decode(errors='replace')}")


async def _ask(
    socket: aiohttp.ClientWebSocketResponse, number: int, method: str, params: dict[str, Any], session: str = ""
) -> dict[str, Any]:
    command = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
    await socket.send_json(command)
    async for message in socket:
        told = json.loads(message.data)
        if told.get("id") == number:
            if "error" in told:
                raise ChromiumError(f"{method}: {told['error']}")
            result: dict[str, Any] = told["result"]
            return result
    raise ChromiumError(f"Chromium ended during {method}")
