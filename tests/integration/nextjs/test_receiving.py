"""What the Next.js example makes of messages: the same as the mirror, whatever their order and however often."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from outbox.messages.examples import EXAMPLES
from outbox.signing import new_secret, signature, signer, webhook_id
from tests.support.mirror import Mirror
from tests.support.nextjs.engine import Engine
from tests.support.nextjs.supabase import Supabase
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import as_json
from tests.unit.pms.messages import booking, message, nights, room_type, snapshot

pytestmark = ON_PG18
"""Where the server makes no difference, one is enough."""
Message = dict[str, Any]


@dataclass
class Sender:
    """Signs and sends messages as Roomwire does.

    Attributes:
        supabase: where the example keeps them.
    """

    url: str
    secret: str
    supabase: Supabase
    session: aiohttp.ClientSession

    async def post(self, body: bytes, *, number: str | None = None, secret: str | None = None) -> int:
        """Send bytes under an id; returns the status of the answer."""
        number = number or webhook_id(1, "any", body)
        now = int(time.time())
        headers = {
            "webhook-id": number,
            "webhook-timestamp": str(now),
            "webhook-signature": signature([signer(secret or self.secret)], number, now, body),
        }
        async with self.session.post(self.url, data=body, headers=headers) as response:
            return response.status

    async def tell(self, *messages: Message) -> None:
        """Send messages one after the other; each must be taken."""
        for one in messages:
            assert await self.post(as_json(one)) == 204


@pytest.fixture
async def sender(nextjs: Path, database: Database) -> AsyncIterator[Sender]:
    """The example on Node, before a database of its own."""
    old, secret = new_secret(), new_secret()
    async with (
        Supabase(database) as supabase,
        Engine(nextjs, f" {old}  {secret}\n", supabase) as engine,
        aiohttp.ClientSession() as session,
    ):
        yield Sender(engine.url, secret, supabase, session)


def told(messages: Iterable[Message]) -> Mirror:
    """A mirror that got these messages."""
    mirror = Mirror()
    for number, one in enumerate(messages):
        mirror.receive(f"msg_{number}", one)
    return mirror


def same(sender: Sender, mirror: Mirror) -> None:
    """The example must hold what the mirror holds, versions and tombstones too."""
    held = sender.supabase.mirror()
    assert held.held == mirror.held
    assert held.held_nights == mirror.held_nights


async def test_every_message_is_kept_as_the_mirror_keeps_it(sender: Sender) -> None:
    messages = list(EXAMPLES.values())
    await sender.tell(*messages)
    same(sender, told(messages))


async def test_any_order_and_any_repetition_ends_in_the_same(sender: Sender) -> None:
    chance = Random(29)
    first = "2026-12-{:02}".format
    changes = [
        booking("updated", version, number=f"{number:x}", comment=f"{version}")
        for number in range(4)
        for version in (10, 20 + number, 40)
    ]
    ends = [booking("deleted", 30, number=f"{number:x}") for number in range(4)]
    types = [room_type(version, number=number, name=f"{version}") for number in (7, 8) for version in (10, 25)]
    days = [
        nights(version, (first(day), first(day + 3), 9, version % 9), (first(day + 3), first(day + 5), 9, 1))
        for version, day in ((11, 1), (12, 3), (13, 6), (14, 2))
    ]
    said = [*changes, *ends, *types, room_type(30, number=8, event="deleted"), *days]
    expected = told(said)
    shuffled = said * 2
    chance.shuffle(shuffled)
    await asyncio.gather(*(sender.post(as_json(one)) for one in shuffled))
    same(sender, expected)


async def test_a_snapshot_deletes_what_is_not_listed_and_not_newer(sender: Sender) -> None:
    held = [
        *(booking("created", 10, number=number, check_out="2026-12-01") for number in ("1a", "1b", "9c")),
        booking("created", 10, number="1d", check_out="2026-01-01"),
        booking("created", 60, number="1e"),
        *(room_type(10, number=number) for number in (7, 8)),
        *(message("plan.updated", plan_key=key, version=10) for key in ("1h", "h2")),
        *(message("rates.updated", plan_key=key, version=10, periods=[]) for key in ("1h", "h2")),
        nights(10, ("2026-12-01", "2026-12-03", 4, 1), number=7),
        nights(10, ("2026-12-01", "2026-12-03", 4, 1), number=8),
    ]
    some = {"first": "0", "last": "1", "check_out_from": "2026-06-01", "ids": ["1a"]}
    closing = [
        snapshot(50, room_type_ids=[8], plan_keys=["h2"], bookings=some),
        snapshot(51, room_type_ids=None, plan_keys=None, bookings=some | {"first": "2", "last": "3", "ids": []}),
        snapshot(52, room_type_ids=None, plan_keys=None, bookings=None),
    ]
    await sender.tell(*held, *closing)
    same(sender, told(held + closing))
    kept = sender.supabase.mirror().documents
    assert {key[2] for key in kept if key[0] == "booking"} == {"1a", "9c", "1d", "1e"}
    shown = sender.supabase.rows("select distinct room_type_id from roomwire_availability")
    assert shown == [(8,)]


async def test_the_same_message_is_applied_once_and_lost_answers_lose_nothing(sender: Sender) -> None:
    body = as_json(booking("created", 10))
    sender.supabase.failing = 1
    assert await sender.post(body) == 500
    assert await sender.post(body) == 204
    assert await sender.post(body) == 204
    assert sender.supabase.calls == 3
    assert sender.supabase.rows("select count(*) from roomwire_message") == [(1,)]
    same(sender, told([booking("created", 10)]))


async def test_a_message_is_kept_whole_or_not_at_all(sender: Sender) -> None:
    whole = nights(10, ("2026-12-01", "2026-12-03", 4, 1))
    broken = nights(10, ("2026-12-01", "2026-12-03", 4, 1), ("2026-12-05", "no day", 4, 1))
    assert await sender.post(as_json(broken), number="msg_1") == 500
    same(sender, Mirror())
    assert await sender.post(as_json(whole), number="msg_1") == 204
    same(sender, told([whole]))


async def test_what_cannot_be_believed_or_read_is_refused(sender: Sender) -> None:
    assert await sender.post(as_json(booking("created", 10)), secret=new_secret()) == 401
    for body in (b"", b"{", b"null", b'{"data":{}}', b'{"type":"booking.created","data":{"hotel_id":7}}', b"\xff"):
        assert await sender.post(body) == 422
    same(sender, Mirror())
    # A later Roomwire may say more.
    assert await sender.post(as_json(message("spa.updated", spa_id=1))) == 204


async def test_ids_are_forgotten_after_a_day(sender: Sender) -> None:
    await sender.tell(booking("created", 10))
    sender.supabase.rows("update roomwire_message set kept_at = now() - interval '25 hours' returning 1")
    await sender.tell(message("heartbeat", as_of=None, behind=0))
    assert sender.supabase.rows("select count(*) from roomwire_message") == [(1,)]


async def test_a_stranger_s_key_sees_nothing(sender: Sender, database: Database) -> None:
    await sender.tell(booking("created", 10))
    tables = ("roomwire_document", "roomwire_night", "roomwire_message", "roomwire_availability")
    with database.connect() as conn:
        for role in ("anon", "authenticated"):
            for table in tables:
                row = conn.execute("select has_table_privilege(%s, %s, 'select')", (role, table)).fetchone()
                assert row == (False,)
            keep = conn.execute(
                "select has_function_privilege(%s, 'roomwire_keep(text, jsonb, jsonb, jsonb)', 'execute')", (role,)
            ).fetchone()
            assert keep == (False,)


async def test_the_questions_of_the_document_are_answered(sender: Sender) -> None:
    document = (Path(__file__).parents[3] / "docs" / "RECEIVING.md").read_text(encoding="utf-8")
    questions = re.findall(r"(?:^    .*\n)+", document, re.MULTILINE)
    nights_asked, types_asked = [text for text in questions if text.lstrip().startswith("select")]
    await sender.tell(EXAMPLES["room_type.updated"], EXAMPLES["availability.updated"])
    assert len(sender.supabase.rows(nights_asked)) == 6
    assert [row[0] for row in sender.supabase.rows(types_asked)] == ["31"]
