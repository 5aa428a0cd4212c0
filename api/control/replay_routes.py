"""The routes of replays."""

from collections.abc import Sequence
from typing import Any

from api.control import replays
from api.control.replays import (
    CountedAnswer,
    ReplayAnswer,
    ReplayAsked,
    ReplayPath,
    ReplaysAnswer,
)
from api.fields import Page
from api.request.routing import Link, Returns, Route

_TAG = "Operations"
_NAME = "sakura-web"
_AT = "2026-11-23T05:14:56.118204Z"
_REPLAY: dict[str, Any] = {
    "replay_id": 3,
    "endpoint": _NAME,
    "hotels": [7],
    "kinds": None,
    "since": "2026-11-22T15:00:00Z",
    "reason": "asked for by sakura-admin",
    "total": 1_204,
    "queued": 1_000,
    "created_at": _AT,
    "finished_at": None,
    "note": None,
}
_REPLAY_ASKED = {"endpoint": _NAME, "hotels": [7], "kinds": None, "since": "2026-11-22T15:00:00Z"}
ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/replays",
        handler=replays.start_replay,
        name="startReplay",
        tag=_TAG,
        scope="admin",
        summary="Send an endpoint again what it was sent before",
        description="After it lost data, or was restored from a copy. It goes on by itself, whatever is restarted.",
        body=ReplayAsked,
        body_example=_REPLAY_ASKED,
        returns={202: Returns("It begins within a second.", ReplayAnswer, _REPLAY)},
        problems=("unknown_endpoint", "unknown_hotel", "endpoint_refused"),
        writes=True,
        links={
            202: {"read": Link("readReplay", "How far it is.", {"path.replay_id": "$response.body#/replay_id"})}
        },
    ),
    Route(
        method="POST",
        path="/replay-count",
        handler=replays.count_replay,
        name="countReplay",
        tag=_TAG,
        scope="admin",
        summary="Count what a replay would send",
        body=ReplayAsked,
        body_example=_REPLAY_ASKED,
        returns={
            200: Returns(
                "How many documents.", CountedAnswer, {"documents": 3, "by_kind": {"plan": 1, "booking": 2}}
            )
        },
        problems=("unknown_endpoint", "unknown_hotel", "endpoint_refused"),
    ),
    Route(
        method="GET",
        path="/replays",
        handler=replays.list_replays,
        name="listReplays",
        tag=_TAG,
        scope="admin",
        summary="List replays of the last 30 days",
        params=Page,
        returns={200: Returns("Newest first.", ReplaysAnswer, {"replays": [_REPLAY]})},
    ),
    Route(
        method="GET",
        path="/replays/{replay_id}",
        handler=replays.read_replay,
        name="readReplay",
        tag=_TAG,
        scope="admin",
        summary="Read how far a replay is",
        params=ReplayPath,
        params_examples={"replay_id": 3},
        returns={200: Returns("The replay.", ReplayAnswer, _REPLAY)},
        problems=("unknown_replay",),
    ),
)
