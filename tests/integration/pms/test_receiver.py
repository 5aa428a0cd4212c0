"""The mirror over HTTP: signatures as the standardwebhooks package makes them, and every kind of misbehaviour."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from tests.support.mirror import MirrorProcess, Receiver
from tests.support.mirror.mischief import TRICKS
from tests.unit.pms.messages import booking, room_type

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOOKING = ("booking", 1, "a1")


async def post(url: str, message: dict[str, Any], *, number: str = "msg_1", secret: str = SECRET) -> int:
    """Send one signed message and return the answer's status."""
    body, now = json.dumps(message, ensure_ascii=False), datetime.now(UTC)
    headers = {
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(number, now, body),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


async def test_a_signed_message_is_applied() -> None:
    async with Receiver(SECRET) as receiver:
        assert await post(receiver.url, booking("created", 5, comment="窓側")) == 204
        assert receiver.mirror.documents[BOOKING]["comment"] == "窓側"
        assert not receiver.mirror.violations


async def test_a_message_signed_by_another_is_not() -> None:
    async with Receiver(SECRET) as receiver:
        assert await post(receiver.url, booking("created", 5), secret="whsec_" + "A" * 32) == 401
        async with aiohttp.ClientSession() as session, session.post(receiver.url, data=b"{}") as answer:
            assert answer.status == 401
        assert not receiver.mirror.documents
        assert [violation.rule for violation in receiver.mirror.violations] == ["signature", "signature"]


async def test_modes() -> None:
    async with Receiver(SECRET) as receiver:
        receiver.mode = "down"
        assert await post(receiver.url, booking("created", 5)) == 503
        assert not receiver.mirror.documents
        receiver.mode = "apply-then-500"
        assert await post(receiver.url, booking("created", 5)) == 500
        assert BOOKING in receiver.mirror.documents
        receiver.mode = "ok"
        assert await post(receiver.url, booking("created", 5)) == 204
        assert receiver.attempts == {503: 1, 500: 1, 204: 1}
        assert not receiver.mirror.violations


async def test_a_hanging_request_ends_unapplied_when_the_mode_changes() -> None:
    async with Receiver(SECRET) as receiver:
        receiver.mode = "hang"
        sent = asyncio.create_task(post(receiver.url, booking("created", 5)))
        await receiver.until(lambda: receiver.hanging == 1)
        receiver.mode = "ok"
        assert await sent == 503
        assert not receiver.mirror.documents


async def test_chosen_keys_are_rejected() -> None:
    async with Receiver(SECRET) as receiver:
        receiver.reject([BOOKING])
        assert await post(receiver.url, booking("created", 5)) == 422
        assert await post(receiver.url, room_type(5), number="msg_2") == 204
        assert list(receiver.mirror.documents) == [("room_type", 1, "7")]


async def test_a_message_without_its_fields_is_an_offence() -> None:
    async with Receiver(SECRET) as receiver:
        assert (
            await post(receiver.url, {"type": "booking.created", "timestamp": "2026-11-23T00:00:00Z", "data": {}})
            == 422
        )
        assert [violation.rule for violation in receiver.mirror.violations] == ["form"]


async def test_waiting_ends_when_the_condition_holds() -> None:
    async with Receiver(SECRET) as receiver:
        waiting = asyncio.create_task(receiver.until(lambda: BOOKING in receiver.mirror.documents, limit=10))
        await post(receiver.url, room_type(5), number="msg_2")
        assert not waiting.done()
        await post(receiver.url, booking("created", 5))
        await waiting


async def test_as_a_process_of_its_own() -> None:
    async with MirrorProcess(SECRET) as process:
        assert await post(process.url, booking("created", 5)) == 204
        await process.control("down")
        assert await post(process.url, booking("updated", 6, comment="x"), number="msg_2") == 503
        await process.control("ok", rejected=[BOOKING])
        assert await post(process.url, booking("updated", 6, comment="x"), number="msg_2") == 422
        mirror = await process.mirror()
        assert mirror.documents[BOOKING]["comment"] is None
        assert mirror.counts == {"booking.created": 1}


async def test_an_unruly_receiver_plays_every_trick_and_answers_the_rest() -> None:
    async def hung() -> None:
        await receiver.until(lambda: receiver.hanging == 1)
        sending.cancel()

    taken = 0
    async with Receiver(SECRET) as receiver:
        receiver.mode = "unruly"
        for version in range(1, 201):
            sending = asyncio.create_task(post(receiver.url, booking("updated", version), number=f"msg_{version}"))
            waiting = asyncio.create_task(hung())
            (outcome,) = await asyncio.gather(sending, return_exceptions=True)
            waiting.cancel()
            taken += outcome == 204
            await receiver.until(lambda: receiver.hanging == 0)
        assert set(receiver.tricks) == set(TRICKS)
        assert taken == 200 - receiver.tricks.total()
        assert 50 < receiver.tricks.total() < 90
        assert not receiver.mirror.violations


async def test_messages_that_speak_of_a_key_at_the_same_time_are_an_offence() -> None:
    async with Receiver(SECRET) as receiver:
        receiver.mode = "slow"
        sends = (post(receiver.url, booking("updated", version), number=f"msg_{version}") for version in (5, 6))
        assert await asyncio.gather(*sends) == [204, 204]
        assert [violation.rule for violation in receiver.mirror.violations] == ["concurrent"]
