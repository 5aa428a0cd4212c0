"""The routes of deliveries."""

from collections.abc import Sequence
from typing import Any

from api.control import deliveries
from api.control.delivery_models import (
    CountAnswer,
    DeliveriesAnswer,
    DeliveriesAsked,
    KeyPath,
    RetryAsked,
    SkipAsked,
    StoryAnswer,
)
from api.request.routing import Returns, Route

_TAG = "Operations"
_NAME = "sakura-web"
_AT = "2026-11-23T05:14:56.118204Z"
_KEY = "booking:7:3f6c1d0a-5b7e-4c1f-9a53-0d2f7b8e6a11"
_DELIVERY: dict[str, Any] = {
    "endpoint": _NAME,
    "key": _KEY,
    "kind": "booking",
    "hotel_id": 7,
    "id": "3f6c1d0a-5b7e-4c1f-9a53-0d2f7b8e6a11",
    "version": 1_795_401_296_123_456,
    "acknowledged_version": None,
    "since": _AT,
    "in_flight": False,
    "tries": 6,
    "next_try_at": None,
    "refused_at": _AT,
    "last_error": "HTTP 422",
}
_SEND = {
    "endpoint": _NAME,
    "at": _AT,
    "webhook_id": "msg_1Fh0o8yq2B0uXw3mZ4n5p6q7",
    "type": "booking.created",
    "outcome": "rejected",
    "status": 422,
    "latency_ms": 12,
    "error": "HTTP 422",
    "answer": '{"error":"unknown plan"}',
}
ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/deliveries",
        handler=deliveries.list_deliveries,
        name="listDeliveries",
        tag=_TAG,
        scope="admin",
        summary="List what endpoints lack",
        description="What they refused for good first, then what waits for its next try, then the queue; each by"
        " time, the queue of one hotel by key. What is sent or refused between two requests may come twice, or"
        " not at all.",
        params=DeliveriesAsked,
        params_examples={"endpoint": _NAME},
        returns={
            200: Returns(
                "What they lack.", DeliveriesAnswer, {"deliveries": [_DELIVERY], "more": False, "cursor": None}
            )
        },
        problems=("unknown_endpoint",),
    ),
    Route(
        method="GET",
        path="/deliveries/keys/{key}",
        handler=deliveries.read_delivery,
        name="readDelivery",
        tag=_TAG,
        scope="admin",
        summary="Read what became of one thing",
        params=KeyPath,
        params_examples={"key": _KEY},
        returns={
            200: Returns(
                "Its version, who has it, and the sends of it.",
                StoryAnswer,
                {
                    "key": _KEY,
                    "version": 1_795_401_296_123_456,
                    "gone": False,
                    "committed_at": _AT,
                    "endpoints": [{"endpoint": _NAME, "up_to_date": False, "delivery": _DELIVERY}],
                    "sends": [_SEND],
                },
            )
        },
        problems=("unknown_key",),
    ),
    Route(
        method="POST",
        path="/deliveries/retry",
        handler=deliveries.retry_deliveries,
        name="retryDeliveries",
        tag=_TAG,
        scope="admin",
        summary="Send again at once what was refused, or waits for its next try",
        body=RetryAsked,
        body_example={"endpoint": _NAME},
        description="2,000 or a few more at a time: where it was so many, ask again with another Idempotency-Key.",
        returns={200: Returns("How many things are tried again.", CountAnswer, {"keys": 1})},
        problems=("unknown_endpoint",),
        writes=True,
    ),
    Route(
        method="POST",
        path="/deliveries/skip",
        handler=deliveries.skip_deliveries,
        name="skipDeliveries",
        tag=_TAG,
        scope="admin",
        summary="Take things for delivered as they are now",
        description="The endpoint goes without until they change. Each stands in the audit log with the reason.",
        body=SkipAsked,
        body_example={"endpoint": _NAME, "keys": [_KEY], "reason": "its plan is gone at the engine"},
        returns={200: Returns("How many things were skipped.", CountAnswer, {"keys": 1})},
        problems=("unknown_endpoint",),
        writes=True,
    ),
)
