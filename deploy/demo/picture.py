"""`python -m deploy.demo.picture`: the README's picture, taken in Chromium of the demo as it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from deploy.demo.chromium import Tab, browsing

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.png"
BUSY = 40
"""Messages that the page shall have measured first, so that the picture shows a demo at work."""


def main(
    url: str = "http://127.0.0.1:8700/",
    width: int = 1440,
    height: int = 930,
    out: Path = PICTURE,
    dark: bool = False,
) -> None:
    """Photograph the page of a demo that runs, just after a booking at the front desk."""
    asyncio.run(_photograph(url, width, height, out, dark=dark))
    typer.echo(f"{out}: {out.stat().st_size // 1024} kB")


async def _photograph(url: str, width: int, height: int, out: Path, *, dark: bool) -> None:
    async with browsing() as tab:
        await tab.show(url, width=width, height=height, dark=dark)
        await tab.until("document.querySelector('#calendar td b')")
        await tab.until(f"document.querySelectorAll('#news tbody tr').length > {BUSY - 1}", 120)
        await book(tab)
        await tab.photograph(out)


async def book(tab: Tab) -> None:
    """Press the front desk's button and wait until the page shows that the booking has arrived."""
    await tab.evaluate("document.querySelector('#desk button').click()")
    await tab.until("document.querySelector('#result.good, #result.bad')")


if __name__ == "__main__":
    typer.run(main)
