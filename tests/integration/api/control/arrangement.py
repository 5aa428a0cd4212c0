"""Endpoints as these tests add them, and what they lack."""

from __future__ import annotations

from typing import Any

from tests.integration.delivery.receiver import Receiver
from tests.support.api import Answered, Api

ADMIN = ("read", "admin", "guest-data")


WISHES: dict[str, Any] = {
    "hotels": None,
    "types": None,
    "bookings": "all",
    "guest_data": False,
    "max_bytes": 20_000,
    "concurrency": 8,
    "rate_per_second": 2.5,
    "heartbeat_seconds": 0,
}


async def added(api: Api, receiver: Receiver, name: str = "web", **wishes: Any) -> Answered:
    """Add an endpoint that is filled already, and so lacks nothing."""
    asked = WISHES | {"name": name, "url": f"{receiver.url}?token=s3cret", "secret": receiver._secret} | wishes
    answer = await api.post("/endpoints", asked)
    assert answer.status == 201, answer.body
    await api.desk.execute("update booking_engine.endpoint set fill_version = null")
    return answer


async def lacking(api: Api, name: str, *, hotel: int = 1, kind: str = "hotel", error: str | None = None) -> None:
    """Let an endpoint lack a document, and have refused it where `error` is given."""
    await api.desk.execute(
        "insert into booking_engine.behind"
        " (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at, last_error, tries)"
        " select e.id, d.kind, d.hotel_id, d.id, d.version, 0, 1,"
        " case when %(error)s::text is not null then now() end, %(error)s,"
        " case when %(error)s::text is null then 0 else 6 end"
        " from booking_engine.endpoint e, booking_engine.document d"
        " where e.name = %(name)s and d.kind = %(kind)s and d.hotel_id = %(hotel)s and d.version > 0 limit 1",
        {"name": name, "kind": kind, "hotel": hotel, "error": error},
    )
