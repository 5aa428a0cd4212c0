"""What bookings ask the database is found by indexes: nothing reads all bookings, clients or links for one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
from aiohttp import web
from psycopg import AsyncConnection

from api.access.scopes import Access
from api.bookings.asked import BookingAsked
from api.bookings.create import make_booking
from api.context import Context, Options, build
from api.request.routing import Call, Nothing
from outbox.secrets import Secrets
from sql import booked
from sql.booked import Position, Viewer
from sql.pool import Pool, polite
from tests.integration.api.bookings.stays import asked, room_type
from tests.support.api import Api
from tests.support.daemon import SECRET_KEY

Plan = dict[str, Any]
MANY = 5000
FEW = 1000
OTHERS = """
    with client as (
        insert into clients (id, name, email, phone, created_by, updated_by)
        select gen_random_uuid(), 'YAMADA', 'other' || n || '@example.jp', '090' || n, 1, 1
        from generate_series(1, %(many)s) n
        returning id
    ),
    reservation as (
        insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,
            status, type, agent, created_by, updated_by)
        select gen_random_uuid(), 1, id, current_date + 400, current_date + 402, 1, 'confirmed', 'web', 'roomwire',
            1, 1
        from client
        returning id
    ),
    document as (
        insert into booking_engine.document (kind, hotel_id, id, version, body, own)
        select 'booking', 1, id::text, 1, '{}', true from reservation
        returning id
    ),
    answer as (
        insert into booking_engine.idempotency (client, key, fingerprint, rights, status, headers, body)
        select 'engine', id, '', '{}', 201, '{}', '' from document
    )
    insert into booking_engine.booking_link (source, external_id, hotel_id, reservation_id, version)
    select 'engine', id, 1, id::uuid, 1 from document
"""
EXPLAINED = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}
ENGINE = Access(key_id="", source="engine", scopes=frozenset({"book", "read", "guest-data"}), hotels=None)


async def many_others(api: Api) -> None:
    """Bookings of the same client, of other guests."""
    async with api.desk.transaction():
        await api.desk.execute("select set_config('my_app.user_id', '1', true)")
        await api.desk.execute(OTHERS, {"many": MANY})
    await api.desk.execute("analyze")


@asynccontextmanager
async def explained(api: Api, plans: list[Plan]) -> AsyncIterator[Context]:
    """A context whose sessions tell the plan of every statement they have run."""

    def note(message: str) -> None:
        if "{" in message:
            plans.append(json.loads(message[message.index("{") :]))

    async def listen(conn: AsyncConnection) -> None:
        conn.add_notice_handler(lambda notice: note(notice.message_primary or ""))

    dsn = polite(api.database.dsn, application="explained", **{"my_app.user_id": "2"}, **EXPLAINED)
    kwargs = {"autocommit": True, "prepare_threshold": 0}
    async with Pool(dsn, min_size=1, max_size=1, kwargs=kwargs, configure=listen, open=False) as pool:
        yield build(pool, pool, pool, Secrets([SECRET_KEY]), Options())


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def greedy(plans: list[Plan]) -> list[tuple[str, str, float]]:
    """Tables of which a statement read many rows."""
    found = []
    for one in plans:
        for node in nodes(one["Plan"]):
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            if "Relation Name" in node and read > FEW:
                found.append((one["Query Text"][:60], node["Relation Name"], read))
    return found


def call(context: Context, body: dict[str, Any]) -> Call[Nothing, BookingAsked]:
    return Call(
        context=context,
        access=ENGINE,
        params=Nothing(),
        body=BookingAsked.model_validate(body, strict=False),
        request_id="",
        address=None,
        method="POST",
        path="/bookings",
        raw=orjson.dumps(body),
        headers={"idempotency-key": str(uuid4())},
        request=cast("web.Request", None),
    )


async def test_a_booking_reads_nothing_whole(api: Api) -> None:
    kind, plans = await room_type(api, rooms=3), list[Plan]()
    await many_others(api)
    people: list[dict[str, str]] = [{"email": "a@example.jp"}, {"phone": "0901"}, {}]
    async with explained(api, plans) as context:
        for ways in people:
            made = await make_booking(call(context, asked(api, kind, guest={"name": "山田 花子", **ways})))
            assert made.status == 201
    assert len(plans) > 20
    assert greedy(plans) == []


async def test_what_has_changed_is_found_by_its_version(api: Api) -> None:
    plans: list[Plan] = []
    await many_others(api)
    async with explained(api, plans) as context, context.connection() as conn:
        viewer = Viewer("engine", None, None)
        first = await booked.changed(conn, viewer, Position(0, UUID(int=0)), 100)
        assert len(first) == 100
        assert await booked.changed(conn, viewer, Position(2, UUID(int=0)), 100) == []
    assert greedy(plans) == []
    assert [
        node["Index Name"] for node in nodes(plans[-1]["Plan"]) if node.get("Relation Name") == "booking_link"
    ] == ["booking_link_changed"]
