"""The worker: endpoints that come and go, hints, and what changes while it is sent."""

import asyncio
from typing import Any

import pytest

from outbox import endpoints, signing
from outbox.delivery.pump import Timing
from outbox.settings import EndpointError, Settings
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import Receiver


async def test_endpoints_come_and_go_while_it_runs(bench: Bench) -> None:
    async with bench.delivering(), Receiver(signing.new_secret()) as other:
        await bench.endpoint("one")
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1)
        await bench.endpoint("two", to=other)
        await other.until(lambda: len(other.accepted) == 1)
        await endpoints.disable(bench.documents.conn, "one")
        await bench.documents.booking(7, booking_id(2))
        await other.until(lambda: len(other.accepted) == 2)
        await endpoints.remove(bench.documents.conn, "two")
        await endpoints.enable(bench.documents.conn, "one")
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 3)
        await bench.idle()
    listed = await endpoints.overview(bench.documents.conn)
    assert [(one.name, one.status, one.behind, one.filling) for one in listed] == [("one", "healthy", 0, False)]


async def test_a_hint_is_acted_on_without_waiting_for_the_next_look(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering(Timing(poll=60)):
        await bench.count("endpoint")
        bench.wake.set()

        async def filled() -> bool:
            bench.wake.set()
            return await bench.count("endpoint where fill_version is null") == 1

        await eventually(filled)
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1, 5)


async def test_what_changes_while_it_is_sent_follows_at_once(bench: Bench) -> None:
    await bench.endpoint()
    answered = asyncio.Event()

    async def slow(_message: dict[str, Any]) -> int:
        await answered.wait()
        return 200

    async with bench.delivering():
        await bench.idle()
    async with bench.delivering(Timing(poll=60)):
        bench.receiver.answer = slow
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        answered.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 2, 5)
        await bench.idle()


async def test_names_are_taken_once_and_secrets_never_shown(bench: Bench) -> None:
    await bench.endpoint()
    with pytest.raises(EndpointError, match="there is an endpoint named 'engine'"):
        await bench.endpoint()
    wrong = Settings("other", "http://127.0.0.1/")
    object.__setattr__(wrong, "bookings", "some")
    with pytest.raises(EndpointError) as caught:
        await endpoints.add(bench.documents.conn, wrong, bench.outbound)
    assert wrong.secret not in repr(caught.value)
    assert bench.receiver._secret not in repr(await endpoints.overview(bench.documents.conn))
