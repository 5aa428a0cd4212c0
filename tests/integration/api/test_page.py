"""The page about the API in a browser, as it is served: styled, readable on a phone, in the dark."""

from __future__ import annotations

import pytest

from deploy.demo.chromium import browsing, installed
from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


@pytest.mark.skipif(installed() is None, reason="Chromium is not installed")
@pytest.mark.parametrize("path", ["/docs", "/problems/sold_out"])
async def test_the_page_fits_a_phone_and_follows_the_dark(api: Api, path: str) -> None:
    backs = {}
    async with browsing() as tab:
        for width, dark in ((390, False), (390, True), (1200, False)):
            await tab.show(api.url + path, width=width, dark=dark)
            await tab.until("document.readyState === 'complete' && location.protocol === 'http:'")
            # The policy lets in the page's own style, and that is all it asks for.
            assert await tab.evaluate("getComputedStyle(document.querySelector('pre')).overflowX") == "auto"
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width
            assert await tab.evaluate("performance.getEntriesByType('resource').length") == 0
            backs[width, dark] = await tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert backs[390, True] != backs[390, False] == backs[1200, False]
