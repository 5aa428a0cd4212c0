"""Pages get everything first and then news, and one that does not keep up holds up nobody."""

from __future__ import annotations

import json

import pytest

from deploy.demo.engine import audience
from deploy.demo.engine.audience import Audience


async def test_a_page_gets_everything_first_and_then_news() -> None:
    looking_on = Audience(lambda: {"kind": "state"})
    listening = looking_on.listen()
    assert json.loads(await anext(listening)) == {"kind": "state"}
    looking_on.tell({"kind": "news"})
    assert json.loads(await anext(listening)) == {"kind": "news"}
    looking_on.close()
    assert [said async for said in listening] == []


async def test_a_page_that_does_not_keep_up_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "QUEUE", 3)
    looking_on = Audience(dict)
    listening = looking_on.listen()
    await anext(listening)
    for number in range(5):
        looking_on.tell({"number": number})
    assert [json.loads(said)["number"] async for said in listening] == [0, 1, 2]
