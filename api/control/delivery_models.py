"""What is asked and answered of deliveries."""

from typing import Annotated

from pydantic import AwareDatetime, Field, field_validator

from api.fields import AskedHotel, Page
from api.request.routing import Answer, Asked
from outbox import keys

KeyText = Annotated[
    str,
    Field(
        description="Names a thing: its kind, its hotel and its id, such as `booking:7:3f6c1d0a-…`,"
        " `availability:7:31` or `hotel:7`.",
        min_length=7,
        max_length=120,
        pattern=r"^(hotel|room_type|plan|rates|availability|booking|snapshot):[0-9]{1,9}(:.+)?$",
    ),
]
EndpointWanted = Annotated[str | None, Field(description="Only of this endpoint.", min_length=1, max_length=200)]


class DeliveriesAsked(Page):
    """Which keys."""

    endpoint: EndpointWanted = None
    hotel_id: AskedHotel | None = Field(None, description="Only of this hotel.")
    rejected: bool = Field(False, description="Only what is refused for good.")
    cursor: str | None = Field(
        None, description="Where the answer before ended; with the same endpoint and hotel.", max_length=600
    )


class KeyPath(Asked):
    """One key."""

    key: KeyText


class RetryAsked(Asked):
    """What to send again at once; everything that the key knows where nothing is named."""

    endpoint: EndpointWanted = None
    hotel_id: AskedHotel | None = Field(None, description="Only of this hotel.")
    keys: list[KeyText] | None = Field(None, description="Only these.", min_length=1, max_length=1_000)


class SkipAsked(Asked):
    """What to take for delivered."""

    endpoint: str = Field(description="The endpoint that goes without.", min_length=1, max_length=200)
    keys: list[KeyText] = Field(description="The keys.", min_length=1, max_length=1_000)
    reason: str | None = Field(None, description="Why, for the audit log.", max_length=200)

    @field_validator("keys")
    @classmethod
    def _check(cls, value: list[str]) -> list[str]:
        for one in value:
            keys.parse(one)
        return value


class DeliveryAnswer(Answer):
    """A thing that an endpoint lacks the newest version of."""

    endpoint: str = Field(description="The endpoint's name.")
    key: str = Field(description="The thing's key.")
    kind: str = Field(description="What kind of thing it is.")
    hotel_id: int = Field(description="The hotel's id in the PMS.")
    id: str = Field(description="Its id within kind and hotel; empty for a hotel.")
    version: int = Field(description="The newest version.")
    acknowledged_version: int | None = Field(description="The version that the endpoint has; null for none.")
    since: AwareDatetime = Field(description="Since when it has lacked the newest.")
    in_flight: bool = Field(description="Whether it is on its way.")
    tries: int = Field(description="How often this version was refused.")
    next_try_at: AwareDatetime | None = Field(description="It is not sent before; null: as soon as it is its turn.")
    refused_at: AwareDatetime | None = Field(
        description="When it was refused for good: it is not sent before it changes, or somebody says so."
    )
    last_error: str | None = Field(description="What its last failed send came to.")


class DeliveriesAnswer(Answer):
    """What endpoints lack: what was refused first, then what waits for its next try, then the queue."""

    deliveries: list[DeliveryAnswer] = Field(description="One for each endpoint and thing.")
    more: bool = Field(description="Whether there are more.")
    cursor: str | None = Field(description="To be sent for what comes after these; null where there is no more.")


class StandingAnswer(Answer):
    """How an endpoint stands with a thing that it is told of."""

    endpoint: str = Field(description="The endpoint's name.")
    up_to_date: bool = Field(description="Whether it has the newest version.")
    delivery: DeliveryAnswer | None = Field(description="What it waits for; null where it is up to date.")


class SendAnswer(Answer):
    """A send that was made."""

    endpoint: str = Field(description="The endpoint's name.")
    at: AwareDatetime = Field(description="When (RFC 3339, UTC).")
    webhook_id: str = Field(description="The message's id.")
    type: str = Field(description="The message's type.")
    outcome: str = Field(
        description="`delivered`, `rejected`, `throttled`, `outage`, `gone`, or why it was not sent."
    )
    status: int | None = Field(description="The HTTP status of the answer; null without one.")
    latency_ms: int = Field(description="Until the answer, or the failure.")
    error: str | None = Field(description="What went wrong.")
    answer: str | None = Field(description="The first 500 characters of the answer.")


class StoryAnswer(Answer):
    """What became of a thing."""

    key: str = Field(description="The thing's key.")
    version: int = Field(description="Its newest version.")
    gone: bool = Field(description="Whether it is no more.")
    committed_at: AwareDatetime | None = Field(description="When the PMS committed that (RFC 3339, UTC).")
    endpoints: list[StandingAnswer] = Field(description="Those that are told of it, by name.")
    sends: list[SendAnswer] = Field(
        description="Sends of its newest version, newest first; of availability, the latest of its hotel's nights."
    )


class CountAnswer(Answer):
    """How many things that was."""

    keys: int = Field(description="How many, over all endpoints.")
