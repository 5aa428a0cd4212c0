"""What is asked and answered of endpoints."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.fields import AskedHotel
from api.request.routing import Answer, Asked

Type = Literal["hotel", "room_type", "plan", "rates", "availability", "booking"]
EndpointName = Annotated[
    str,
    Field(description="The endpoint's name.", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
Url = Annotated[
    str, Field(description="Where its webhooks are received: http or https.", min_length=8, max_length=2_000)
]
Hotels = Annotated[
    list[AskedHotel] | None,
    Field(
        description="Only these hotels; null: every one, also those that open later.", min_length=1, max_length=1000
    ),
]
Types = Annotated[
    list[Type] | None,
    Field(
        description="Only messages whose type begins with one of these words; null: all.",
        min_length=1,
        max_length=6,
    ),
]
Bookings = Annotated[
    Literal["all", "own"], Field(description="Every booking, or those that came from a booking engine of ours.")
]
GuestData = Annotated[
    bool,
    Field(description="Whether it may know guests' names and contacts. Needs the scope `guest-data`, too."),
]
MaxBytes = Annotated[
    int, Field(description="Size of a message of several room types, in bytes.", ge=1_000, le=262_144)
]
Concurrency = Annotated[
    int,
    Field(
        description="Messages on their way at the same time, of all processes together; 1 of `cache-refresh`.",
        ge=1,
        le=100,
    ),
]
Rate = Annotated[
    float, Field(description="Messages a second at most, of all processes together; 0: no limit.", ge=0, le=10_000)
]
Heartbeat = Annotated[int, Field(description="Seconds between heartbeats; 0 for none.", ge=0, le=86_400)]
Secret = Annotated[
    str | None,
    Field(
        description="Its signing secret, `whsec_` and 24 to 64 bytes in base64; null: one is made.", max_length=200
    ),
]


class EndpointPath(Asked):
    """One endpoint."""

    name: str = Field(description="The endpoint's name.", min_length=1, max_length=200)


class EndpointAsked(Asked):
    """A new endpoint."""

    name: EndpointName
    url: Url
    format: Literal["standard-webhooks", "cache-refresh"] = Field(
        "standard-webhooks", description="Signed messages, or calls that have an engine refresh its own caches."
    )
    hotels: Hotels
    types: Types = None
    bookings: Bookings = "all"
    guest_data: GuestData = False
    max_bytes: MaxBytes = 20_000
    concurrency: Concurrency = 8
    rate_per_second: Rate = 0.0
    heartbeat_seconds: Heartbeat = 60
    sign: Literal["hmac", "ed25519"] = Field("hmac", description="By a shared secret, or by a key pair.")
    secret: Secret = None
    ca: str | None = Field(
        None,
        description="PEM: the only authority that its certificate may be of; null: the usual ones.",
        max_length=20_000,
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Sent with every message; values are stored encrypted.", max_length=20
    )


class EndpointChanged(Asked):
    """An endpoint as it shall be."""

    url: Url | None = Field(None, description="Where its webhooks are received; null: where they are now.")
    hotels: Hotels
    types: Types
    bookings: Bookings
    guest_data: GuestData
    max_bytes: MaxBytes
    concurrency: Concurrency
    rate_per_second: Rate = 0.0
    heartbeat_seconds: Heartbeat
    ca: str | None = Field(
        None,
        description="PEM: the only authority of its certificate; null: as it is now; empty: the usual ones.",
        max_length=20_000,
    )
    headers: dict[str, str] | None = Field(
        None,
        description="All headers that are sent with every message; null: as they are now, on the same host.",
        max_length=20,
    )


class EndpointAnswer(Answer):
    """An endpoint, and how it does. What is secret of it is not shown."""

    name: str = Field(description="Its name.")
    url: str = Field(description="Where its webhooks are received, without the query.")
    format: str = Field(description="How it is spoken to.")
    hotels: list[int] | None = Field(description="The hotels that it is told of; null: all.")
    types: list[str] | None = Field(description="What it is told of; null: everything.")
    bookings: Bookings
    guest_data: bool = Field(description="Whether it may know guests' names and contacts.")
    max_bytes: int = Field(description="Size of a message of several room types, in bytes.")
    concurrency: int = Field(description="Messages on their way at the same time.")
    rate_per_second: float = Field(description="Messages a second at most; 0: no limit.")
    heartbeat_seconds: int = Field(description="Seconds between heartbeats; 0 for none.")
    public_key: str | None = Field(description="What its messages are verified with; null: they carry an HMAC.")
    old_secret_until: AwareDatetime | None = Field(description="Until then the secret before signs, too.")
    headers: list[str] = Field(description="Names of the headers that are sent with every message.")
    status: str = Field(
        description="`healthy`; `degraded`: it failed lately; `paused`: nothing is sent before `next_try_at`, or"
        " before it is resumed; `disabled`: nothing is sent or noted, and enabling it sends everything."
    )
    reason: str | None = Field(description="Why it is not healthy.")
    first_sync_due: bool = Field(description="Whether it is about to be sent everything.")
    behind: int = Field(
        description="How many things it lacks the newest version of, counted to 100,000: that is so many or more."
    )
    refused: int = Field(description="How many of them it has refused for good.")
    behind_since: AwareDatetime | None = Field(description="Since when it has lacked the one that waits longest.")
    failures: int = Field(description="Sends in a row that it did not answer.")
    next_try_at: AwareDatetime | None = Field(description="Nothing is sent before.")
    last_error: str | None = Field(description="What its last failed send came to.")
    last_success_at: AwareDatetime | None = Field(description="About when it last took a message.")


class EndpointMade(EndpointAnswer):
    """A new endpoint."""

    secret: str | None = Field(
        description="Its signing secret, shown only now; null where it is your own, or the endpoint has a key pair."
    )


class EndpointsAnswer(Answer):
    """The endpoints that the key knows."""

    endpoints: list[EndpointAnswer] = Field(description="By name.")


class ChangeAnswer(Answer):
    """One change of an endpoint's status."""

    at: AwareDatetime = Field(description="When it changed.")
    before: str = Field(description="Its status until then.")
    status: str = Field(description="Its status since.")
    reason: str | None = Field(description="Why, where it became worse.")


class ChangesAnswer(Answer):
    """How an endpoint has fared."""

    changes: list[ChangeAnswer] = Field(description="The newest first, a hundred at most.")


class RotateAsked(Asked):
    """Another signing secret."""

    grace_seconds: int = Field(
        86_400, description="For how long the secret before signs, too; 0: not at all.", ge=0, le=2_592_000
    )
    secret: Secret = None


class PauseAsked(Asked):
    """Why nothing shall be sent."""

    reason: str = Field("by its operator", description="For whoever asks.", min_length=1, max_length=200)


class TestAnswer(Answer):
    """What came of a test message."""

    outcome: str = Field(
        description="`delivered`; `rejected`: it does not take it; `throttled`, `outage`, `gone`: as with any"
        " message; `forbidden`: nothing may be sent to its address."
    )
    status: int | None = Field(description="The HTTP status of its answer; null without one.")
    latency_ms: int = Field(description="Until the answer, or the failure.")
    error: str | None = Field(description="What went wrong.")
    answer: str | None = Field(description="The first 500 characters of its answer.")
    webhook_id: str = Field(description="The test message's id.")
