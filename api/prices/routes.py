"""`GET /hotels/{hotel_id}/pricing`: nightly prices per plan, as the PMS has them now."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any

import orjson
from pydantic import Field

from api import freshness
from api.availability.answers import Currency, NetPrice, Price
from api.availability.asked import MOST_GUESTS
from api.availability.stays import net_revenue
from api.days import Day, check_nights, today
from api.fields import AskedPlan, AsOf, HotelPath, Stale
from api.freshness import stamped
from api.request.etags import digest
from api.request.problems import Fault, Problem
from api.request.routing import Answer, Call, Nothing, Reply, Returns, Route
from outbox.messages.documents import HotelId, NightDate, PlanKey, PlanType
from sql.pms.plans import plans
from sql.pms.prices import Night


class PricingAsked(HotelPath):
    """Which prices."""

    from_: Annotated[Day, Field(alias="from", description="The first night, today or later.")]
    to: Day = Field(description="The day after the last night; at most 400 nights.")
    plan_key: AskedPlan | None = Field(None, description="Only this plan.")
    guests: int | None = Field(
        None, description="People in one room: adds what they pay together.", ge=1, le=MOST_GUESTS
    )


class PricedNight(Answer):
    """What a night costs."""

    date: NightDate
    price: Price
    net_price: NetPrice
    cancel_fee: int = Field(
        description="What of `price` is due even where the night is cancelled: yen, per room or per person."
    )
    total: int | None = Field(description="Yen with tax for a room with `guests` people; null without `guests`.")
    net_total: int | None = Field(description="The same without tax.")


class PricedPlan(Answer):
    """A plan's nights that are on sale."""

    plan_key: PlanKey
    plan_type: PlanType
    nights: list[PricedNight] = Field(description="Only nights on which the plan is on sale, by date.")


class PricingAnswer(Answer):
    """Nightly prices, as they are in the PMS now."""

    as_of: AsOf
    stale: Stale
    hotel_id: HotelId
    from_: date = Field(alias="from", description="First night.")
    to: date = Field(description="The day after the last night.")
    guests: int | None = Field(description="People in the room, as asked.")
    currency: Currency
    plans: list[PricedPlan] = Field(description="Plans that are on sale on any of the nights, by key.")


async def pricing(call: Call[PricingAsked, Nothing]) -> Reply:
    """Nightly prices per plan."""
    asked = call.params
    check_nights(asked.from_, asked.to, today(call.context.options.time_zone), ("from", "to"))
    keys = None if asked.plan_key is None else [asked.plan_key]
    fresh = freshness.now()
    async with call.context.connection() as conn:
        nights = await call.context.prices.nightly(conn, asked.hotel_id, keys, asked.from_, asked.to)
        if keys and not nights and not await plans(conn, asked.hotel_id, keys):
            raise Problem("unknown_plan", faults=[Fault("/plan_key", "The hotel has no such plan.", "query")])
    sold = groupby(
        (night for night in nights if night.on_sale), key=lambda night: (night.plan_key, night.plan_type)
    )
    body = orjson.dumps(
        {
            "hotel_id": asked.hotel_id,
            "from": asked.from_,
            "to": asked.to,
            "guests": asked.guests,
            "currency": "JPY",
            "plans": [
                {"plan_key": key, "plan_type": kind, "nights": [_night(night, asked.guests) for night in priced]}
                for (key, kind), priced in sold
            ],
        }
    )
    return Reply(stamped(fresh, body), etag=digest(body))


def _night(night: Night, guests: int | None) -> dict[str, Any]:
    return {
        "date": night.date,
        "price": night.price.price,
        "net_price": night.price.net_price,
        "cancel_fee": night.price.cancel_fee,
        "total": None if guests is None else night.revenue(guests),
        "net_total": None if guests is None else net_revenue(night, guests),
    }


_NIGHT = {
    "date": "2026-12-24",
    "price": 9300,
    "net_price": 8455,
    "cancel_fee": 9300,
    "total": 18600,
    "net_total": 16910,
}
_EXAMPLE = {
    "as_of": "2026-11-23T05:14:56.118204Z",
    "stale": False,
    "hotel_id": 7,
    "from": "2026-12-24",
    "to": "2026-12-25",
    "guests": 2,
    "currency": "JPY",
    "plans": [{"plan_key": "2h18", "plan_type": "per_person", "nights": [_NIGHT]}],
}

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/hotels/{hotel_id}/pricing",
        handler=pricing,
        name="readPricing",
        tag="Availability",
        summary="Read nightly prices per plan",
        params=PricingAsked,
        params_examples={"hotel_id": 7, "from": "2026-12-24", "to": "2026-12-25", "guests": 2},
        returns={200: Returns("The prices.", PricingAnswer, _EXAMPLE)},
        problems=("unknown_plan",),
    ),
)
