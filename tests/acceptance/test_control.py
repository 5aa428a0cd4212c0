"""What operators do with endpoints, by the real command beside a real daemon."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from outbox.signing import new_secret
from tests.acceptance.test_operations import ask, refused
from tests.support.daemon import Roomwire, until
from tests.support.mirror.process import MirrorProcess
from tests.support.servers import ON_PG18

pytestmark = pytest.mark.timeout(400)


async def totals(mirror: MirrorProcess) -> dict[str, int]:
    """How many messages of each type have come."""
    return dict((await mirror.mirror()).counts)


async def replayed(roomwire: Roomwire) -> None:
    """Wait until all that replays send again stands in the queue."""

    async def done() -> bool:
        return not ask(roomwire, "select count(*) from booking_engine.replay where finished_at is null")

    assert await until(done, 60)


@ON_PG18
async def test_an_endpoint_is_tried_out_paused_changed_and_resumed(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    async with roomwire.running():
        await roomwire.settled()
        said = await roomwire.command("endpoint", "test", "mirror")
        assert re.search(r"mirror answered 20\d  \(\d+ ms, msg_\S+\)", said)
        assert (await totals(mirror))["endpoint.test"] == 1
        assert "no endpoint named 'nobody'" in await refused(roomwire, "endpoint", "test", "nobody")

        await roomwire.command("endpoint", "pause", "mirror", "--reason", "moving house")
        before = await totals(mirror)
        ask(roomwire, "update hotels set formal_name = 'House of ' || id")
        await roomwire.captured()
        shown, lacking, story = await asyncio.gather(
            roomwire.command("endpoint", "show", "mirror"),
            roomwire.command("delivery", "list", "--json"),
            roomwire.command("delivery", "show", "hotel:1"),
        )
        assert "mirror  paused: moving house" in shown
        assert "UTC  healthy → paused: moving house" in shown
        assert "behind      on 2 keys" in shown
        assert [json.loads(line)["key"] for line in lacking.splitlines()] == ["hotel:1", "hotel:2"]
        assert "behind for" in story
        assert await totals(mirror) == before

        said = await roomwire.command("delivery", "skip", "hotel:1", "--endpoint", "mirror", "--reason", "a test")
        assert "Skipped 1 keys" in said
        assert ask(roomwire, "select path from booking_engine.audit_log where method = 'SKIP'").endswith("a test")
        await roomwire.command("endpoint", "resume", "mirror")
        await roomwire.settled()
        assert (await totals(mirror))["hotel.updated"] == before["hotel.updated"] + 1
        assert "has it" in await roomwire.command("delivery", "show", "hotel:2")


@ON_PG18
async def test_what_was_refused_is_listed_and_sent_again_by_a_command(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    async with roomwire.running():
        await roomwire.settled()
        await mirror.control("ok", rejected=[("hotel", 1, "")])
        ask(roomwire, "update hotels set formal_name = 'House of ' || id")

        async def rejected() -> bool:
            return bool(ask(roomwire, "select count(*) from booking_engine.behind where tries > 0"))

        assert await until(rejected, 60)
        ask(roomwire, "update booking_engine.behind set rejected_at = now(), not_before = null")
        said, story = await asyncio.gather(
            roomwire.command("delivery", "list", "--rejected"), roomwire.command("delivery", "show", "hotel:1")
        )
        assert re.search(r"mirror  hotel:1  REFUSED .* ago, \d tries: HTTP 4\d\d", said)
        assert re.search(r"rejected 4\d\d in \d+ ms", story)
        await mirror.control("ok", rejected=[])
        assert "Tried again: 1." in await roomwire.command("delivery", "retry", "--endpoint", "mirror")
        await roomwire.settled()
    assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG18
async def test_a_replay_goes_on_after_a_kill_and_sends_everything_again(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    async with roomwire.running() as daemon:
        await roomwire.settled()
        await daemon.kill()
        counted = await roomwire.command("replay", "--endpoint", "mirror", "--dry-run")
        total = int(re.search(r"would be sent ([\d,]+) documents", counted)[1].replace(",", ""))  # type: ignore[index]
        before = await totals(mirror)
        assert "queued" in await roomwire.command("replay", "--endpoint", "mirror", "--no-wait")
        assert f"0 of {total:,} documents queued" in await roomwire.command("status")
        await daemon.start()

        async def begun() -> bool:
            return bool(ask(roomwire, "select marked > 0 from booking_engine.replay"))

        assert await until(begun, 60)
        await daemon.kill()
        await daemon.start()
        await replayed(roomwire)
        await roomwire.settled()
        assert f"all {total:,} documents queued" in await roomwire.command("replay", "list")
    after = await totals(mirror)
    # Whatever was on its way when it was killed comes twice.
    for kind in ("hotel.updated", "room_type.updated", "plan.updated", "rates.updated", "hotel.snapshot"):
        assert after[kind] >= 2 * before[kind], kind
    assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG18
async def test_an_endpoint_that_is_told_of_more_is_sent_it(roomwire: Roomwire) -> None:
    secret = new_secret()
    async with MirrorProcess(secret) as mirror:
        await roomwire.add_endpoint(
            "mirror", mirror.url, secret, "--hotel", "1", "--type", "hotel", "--type", "plan"
        )
        async with roomwire.running():
            await roomwire.settled()
            found = await mirror.mirror()
            assert {kind for kind, *_ in found.held} == {"hotel", "plan"}
            assert {hotel for _, hotel, _ in found.held} == {1}
            said = await roomwire.command("endpoint", "change", "mirror", "--hotel", "all", "--type", "all")
            assert "sent like a first sync" in said

            await replayed(roomwire)
            await roomwire.settled()
        assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG18
async def test_a_slip_of_the_fingers_is_explained(roomwire: Roomwire) -> None:
    slips = (
        (["replay"], "--endpoint NAME"),
        (["replay", "--endpoint", "x", "--since", "yesterday"], "such as 24h"),
        (["delivery", "show", "booking-7"], "no key"),
        (["delivery", "retry"], "--endpoint"),
        (["endpoint", "change", "x"], "Say what to change"),
        (["endpoint", "resume", "x"], "no endpoint named 'x'"),
    )
    found = await asyncio.gather(*(refused(roomwire, *words) for words, _ in slips))
    for (words, said), line in zip(slips, found, strict=True):
        assert said in line, words
