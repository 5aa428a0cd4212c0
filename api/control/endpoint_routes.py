"""The routes of endpoints."""

from collections.abc import Sequence
from typing import Any

from api.control import actions, endpoints
from api.control.endpoint_models import (
    ChangesAnswer,
    EndpointAnswer,
    EndpointAsked,
    EndpointChanged,
    EndpointMade,
    EndpointPath,
    EndpointsAnswer,
    PauseAsked,
    RotateAsked,
    TestAnswer,
)
from api.request.routing import Handler, Link, Returns, Route

_TAG = "Operations"
_NAME = "sakura-web"
_AT = "2026-11-23T05:14:56.118204Z"
_WISHES: dict[str, Any] = {
    "url": "https://engine.example/api/roomwire",
    "hotels": [7],
    "types": None,
    "bookings": "all",
    "guest_data": False,
    "max_bytes": 20_000,
    "concurrency": 8,
    "rate_per_second": 0,
    "heartbeat_seconds": 60,
}
_ENDPOINT: dict[str, Any] = {
    "name": _NAME,
    **_WISHES,
    "format": "standard-webhooks",
    "public_key": None,
    "old_secret_until": None,
    "headers": [],
    "status": "healthy",
    "reason": None,
    "first_sync_due": False,
    "behind": 2,
    "refused": 1,
    "behind_since": _AT,
    "failures": 0,
    "next_try_at": None,
    "last_error": None,
    "last_success_at": _AT,
}
_CHANGES = {
    "changes": [
        {"at": _AT, "before": "paused", "status": "degraded", "reason": "HTTP 503"},
        {"at": "2026-11-23T05:13:01.530118Z", "before": "healthy", "status": "paused", "reason": "HTTP 503"},
    ]
}
_SECRET = "whsec_EYgKeEbHVYB0vMfK1p4l4k2o2hM2c8Gq4n3JrM0w9mQ="  # noqa: S105 - an example
_BY_NAME = {"path.name": "$response.body#/name"}
_BUSY = "Waits a few seconds for a moment when no document is being written; 503 where there is none."


def _action(word: str, handler: Handler, summary: str, description: str = "", **more: Any) -> Route:
    """Something that is done with one endpoint, and answers how it is then."""
    given: dict[str, Any] = {
        "returns": {200: Returns("The endpoint as it is now.", EndpointAnswer, _ENDPOINT)},
        "problems": ("unknown_endpoint", "endpoint_refused"),
        "writes": True,
    } | more
    return Route(
        method="POST",
        path=f"/endpoints/{{name}}/{word}",
        handler=handler,
        name=f"{word}Endpoint",
        tag=_TAG,
        scope="admin",
        summary=summary,
        description=description,
        params=EndpointPath,
        params_examples={"name": _NAME},
        **given,
    )


ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/endpoints",
        handler=endpoints.list_endpoints,
        name="listEndpoints",
        tag=_TAG,
        scope="admin",
        summary="List the endpoints, and how they do",
        description="A key of some hotels knows the endpoints that are told of no others.",
        returns={200: Returns("The endpoints.", EndpointsAnswer, {"endpoints": [_ENDPOINT]})},
    ),
    Route(
        method="POST",
        path="/endpoints",
        handler=endpoints.add_endpoint,
        name="addEndpoint",
        tag=_TAG,
        scope="admin",
        summary="Add an endpoint",
        description="It is sent everything once, then every change. Its secret is answered to this request alone,"
        f" also where it is repeated. {_BUSY}",
        body=EndpointAsked,
        body_example={"name": _NAME, **_WISHES},
        returns={201: Returns("The endpoint.", EndpointMade, {**_ENDPOINT, "secret": _SECRET})},
        problems=("unknown_hotel", "endpoint_refused"),
        writes=True,
        links={
            201: {
                "read": Link("readEndpoint", "How it does.", _BY_NAME),
                "pause": Link("pauseEndpoint", "Send it nothing for now.", _BY_NAME, {}),
                "remove": Link("removeEndpoint", "Remove it.", _BY_NAME),
            }
        },
    ),
    Route(
        method="GET",
        path="/endpoints/{name}",
        handler=endpoints.read_endpoint,
        name="readEndpoint",
        tag=_TAG,
        scope="admin",
        summary="Read how an endpoint is set up, and how it does",
        params=EndpointPath,
        params_examples={"name": _NAME},
        returns={200: Returns("The endpoint.", EndpointAnswer, _ENDPOINT)},
        problems=("unknown_endpoint",),
    ),
    Route(
        method="GET",
        path="/endpoints/{name}/changes",
        handler=endpoints.list_changes,
        name="listEndpointChanges",
        tag=_TAG,
        scope="admin",
        summary="List the latest changes of an endpoint's status, and why",
        description="Whether it was deliveries that found it failing or well, or somebody who paused it.",
        params=EndpointPath,
        params_examples={"name": _NAME},
        returns={200: Returns("The changes.", ChangesAnswer, _CHANGES)},
        problems=("unknown_endpoint",),
    ),
    Route(
        method="PUT",
        path="/endpoints/{name}",
        handler=endpoints.change_endpoint,
        name="changeEndpoint",
        tag=_TAG,
        scope="admin",
        summary="Change an endpoint",
        description="What it is told of more is sent like a first sync; nothing else is sent again. A url of"
        " another host needs `headers` too, where there are any: their values are secrets of the host before. It"
        " goes on signing with the same secret: rotate it where somebody else receives now. If-Match compares how"
        f" the endpoint is set up, not how it does. {_BUSY}",
        params=EndpointPath,
        params_examples={"name": _NAME},
        body=EndpointChanged,
        body_example=_WISHES,
        returns={200: Returns("The endpoint as it is now.", EndpointAnswer, _ENDPOINT)},
        problems=("unknown_endpoint", "unknown_hotel", "endpoint_refused", "endpoint_changed"),
        writes=True,
        if_match="may",
    ),
    Route(
        method="DELETE",
        path="/endpoints/{name}",
        handler=endpoints.remove_endpoint,
        name="removeEndpoint",
        tag=_TAG,
        scope="admin",
        summary="Remove an endpoint",
        params=EndpointPath,
        params_examples={"name": _NAME},
        returns={204: Returns("It is gone.")},
        problems=("unknown_endpoint",),
        writes=True,
    ),
    _action(
        "test",
        actions.test_endpoint,
        "Send a test message, and tell what comes of it",
        "By the very road of all messages; the answer takes as long as the endpoint does, 15 seconds at most. It"
        " changes nothing: an endpoint that is paused or disabled can be tried, too.",
        writes=False,
        returns={
            200: Returns(
                "What came of it.",
                TestAnswer,
                {
                    "outcome": "delivered",
                    "status": 204,
                    "latency_ms": 12,
                    "error": None,
                    "answer": None,
                    "webhook_id": "msg_1Fh0o8yq2B0uXw3mZ4n5p6q7",
                },
            )
        },
    ),
    _action(
        "pause",
        actions.pause_endpoint,
        "Send an endpoint nothing until it is resumed",
        "What it misses is noted: then it is sent the newest of it.",
        body=PauseAsked,
        body_example={"reason": "the engine is being moved"},
        problems=("unknown_endpoint", "endpoint_refused", "endpoint_disabled"),
    ),
    _action(
        "resume",
        actions.resume_endpoint,
        "Send to an endpoint again, at once",
        "Also to one that did not answer and waits for its next try.",
        problems=("unknown_endpoint", "endpoint_refused", "endpoint_disabled"),
    ),
    _action("enable", actions.enable_endpoint, "Send an endpoint everything, as to a new one", _BUSY),
    _action(
        "disable",
        actions.disable_endpoint,
        "Send an endpoint nothing more",
        "What it misses is not noted: enabling it sends everything again.",
    ),
    _action(
        "rotate",
        actions.rotate_endpoint,
        "Give an endpoint another signing secret",
        "Messages carry both signatures until the grace ends. The secret is answered to this request alone.",
        body=RotateAsked,
        body_example={"grace_seconds": 86_400},
        returns={200: Returns("The endpoint.", EndpointMade, {**_ENDPOINT, "secret": _SECRET})},
    ),
)
