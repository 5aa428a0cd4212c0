"""`python -m deploy.demo.picture`: the README's picture, taken in Chromium of the demo at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import typer

from deploy.demo.children import Child
from deploy.demo.chromium import browsing
from deploy.embedded import free_port

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.png"
LINES = 40
"""Booking messages that the page shall list first."""
PATIENCE = 180.0
SETTLED = 600
"""Milliseconds after which what has just changed is still marked, and no longer moves."""


def main(
    url: Annotated[str | None, typer.Option(help="A demo that runs; without it one is started.")] = None,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = PICTURE,
    width: int = 1440,
    height: int = 930,
    dark: bool = False,
) -> None:
    """Photograph the demo's page, just after a booking at the front desk."""
    asyncio.run(_photograph(url, out, width, height, dark=dark))
    typer.echo(f"{out}: {out.stat().st_size // 1024} kB")


async def _photograph(url: str | None, out: Path, width: int, height: int, *, dark: bool) -> None:
    async with _demo(url) as page, browsing() as tab:
        await tab.show(page, width=width, height=height, dark=dark)
        await tab.until(f"document.querySelectorAll('#news tbody tr').length >= {LINES}", PATIENCE)
        await tab.evaluate("document.querySelector('#desk button').click()")
        await tab.until("document.querySelector('#result.good')")
        await tab.evaluate(f"new Promise(r => setTimeout(r, {SETTLED}))")
        await tab.photograph(out)


@asynccontextmanager
async def _demo(url: str | None) -> AsyncIterator[str]:
    """The address of a demo that answers: the one given, or a new one for the length of the block."""
    if url is not None:
        yield url
        return
    port = free_port()
    async with Child("roomwire demo", ["daemon", "demo", "--port", str(port)], {}) as child:
        ended = asyncio.create_task(child.failed())
        page = f"http://127.0.0.1:{port}/"
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as http:
            while not await _answers(http, page):
                if ended.done():
                    await ended
                await asyncio.sleep(0.2)
        yield page
        ended.cancel()


async def _answers(http: aiohttp.ClientSession, page: str) -> bool:
    try:
        async with http.get(page) as answer:
            return answer.ok
    except aiohttp.ClientConnectionError:
        return False


if __name__ == "__main__":
    typer.run(main)
