"""Bookings over the API, each of another room: what they cost, how long they take, and the most that are made."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from tests.bench.callers import Heard, call
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.processes import backends, watching
from tests.bench.stage import Stage, pid_of
from tests.support.daemon import Daemon, Roomwire, today

BOOKING = "booking of 2 nights"
CONNECTIONS = 100
RATE, MOST_RATE, MOST_MS = 100, 200, 100
"""Bookings per second that are due, those that must be possible, and milliseconds that 99 % may take."""
SECONDS = (20, 4)
_FIRST, _LAST = 140, 720
"""Days ahead in which the benchmark's PMS has no stays."""
_PLAN = "2h"
_ROOMS = """
    select hotel_id, room_type_id, count(*) from rooms where for_sale and not is_staff_room
    group by 1, 2 order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Roomwire and how to call it."""

    roomwire: Roomwire
    daemon: Daemon
    url: str
    key: str


async def measure_bookings(stage: Stage, server: Server) -> AsyncIterator[Figure]:
    """Latencies at a fixed rate, what a booking costs, and the highest rate."""
    stays = _stays(server.roomwire)
    seconds = stage.scale.of(*SECONDS)
    await _book(server, [stays.pop() for _ in range(RATE)])  # what is made once is made
    stage.say(f"{BOOKING}: {RATE} a second")
    due = [stays.pop() for _ in range(RATE * seconds)]
    pid = pid_of(server.daemon)
    with server.roomwire.database.connect() as conn:
        async with watching(lambda: {pid: "roomwire", **backends(conn, server.roomwire.writer)}) as usage:
            paced = await _book(server, due, rate=RATE)
    stage.say(f"{BOOKING}: as many as can be")
    most = await _book(server, stays, seconds=seconds / 2)
    yield Figure("api", stage.name, f"{BOOKING}: answered", paced.rate, "/s")
    for share in (0.5, 0.9, 0.99, 1.0):
        name = f"{BOOKING}: {'max' if share == 1 else f'p{share * 100:g}'}"
        target = at_most(MOST_MS) if share == 0.99 else None
        yield Figure("api", stage.name, name, paced.latency(share), "ms", target)
    for who, name in (("roomwire", "roomwire"), ("backend", "its sessions")):
        used = usage.seconds.get(who, 0.0) / len(paced.latencies) * 1e6
        yield Figure("api", stage.name, f"{BOOKING}: CPU of {name} a booking", used, "µs")
    yield Figure("api", stage.name, f"{BOOKING}: highest rate", most.rate, "/s", at_least(MOST_RATE))
    errors = paced.errors(201) + most.errors(201) + _wrong(server.roomwire, paced, most)
    yield Figure("api", stage.name, f"{BOOKING}: errors", errors, "", at_most(0))


async def _book(server: Server, stays: list[dict[str, Any]], **wishes: Any) -> Heard:
    return await call(server.url, server.key, ["/bookings"], bodies=stays, connections=CONNECTIONS, **wishes)


def _stays(roomwire: Roomwire) -> list[dict[str, Any]]:
    """As many stays as rooms have room for, in an order by chance: all of them can be booked."""
    with roomwire.database.connect() as conn:
        stock = conn.execute(_ROOMS).fetchall()
    rooms = [kind for *kind, number in stock for _ in range(int(str(number)))]
    found = []
    for number, ((hotel_id, room_type_id), ahead) in enumerate(product(rooms, range(_FIRST, _LAST, 2))):
        first = today() + timedelta(days=ahead)
        found.append(
            {
                "hotel_id": hotel_id,
                "external_id": f"B-{number}",
                "check_in": str(first),
                "check_out": str(first + timedelta(days=2)),
                "rooms": [{"room_type_id": room_type_id, "plan_key": _PLAN, "number_of_people": 1}],
                "guest": {"name": f"山田 {number}", "email": f"b{number}@example.jp"},
            }
        )
    random.Random(1).shuffle(found)
    return found


def _wrong(roomwire: Roomwire, *heard: Heard) -> int:
    """Room-nights that were given away twice, and bookings that were answered and are not there."""
    with roomwire.database.connect() as conn:
        row = conn.execute(
            "select (select count(*) from (select from reservation_details where cancelled is null"
            " group by hotel_id, room_id, date having count(*) > 1 and min(date) > current_date + 138) twice),"
            " (select count(*) from reservations where agent = 'roomwire')"
        ).fetchone()
    assert row is not None
    twice, made = int(str(row[0])), int(str(row[1]))
    return twice + max(0, sum(one.statuses[201] for one in heard) + RATE - made)
