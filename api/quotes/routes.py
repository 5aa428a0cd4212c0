"""`POST /quotes`: checks a stay as a booking does and signs its price. No row is written and no room kept."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, Field

from api import freshness
from api.availability.answers import Currency, NetPrice, Price
from api.availability.asked import MOST_GUESTS, MOST_ROOMS
from api.availability.stays import net_revenue
from api.context import Context
from api.days import Day, check_nights, today
from api.fields import ID_MOST, AskedHotel, AskedPlan, AsOf, Stale
from api.freshness import Fresh
from api.quotes.offers import Priced, check_rooms, price_stay
from api.quotes.tokens import QuotedRoom, Stay, sign
from api.request.routing import Answer, Asked, Call, Link, Nothing, Reply, Returns, Route
from outbox.messages.documents import HotelId, NightDate, PlanKey, PlanType, RoomTypeId
from sql.pms.prices import Night
from sql.pms.stays import stock


class RoomAsked(Asked):
    """One room for all nights."""

    room_type_id: Annotated[int, Field(description="The room type's id in the PMS.", ge=1, le=ID_MOST)]
    plan_key: AskedPlan
    number_of_people: int = Field(description="People in this room.", ge=1, le=MOST_GUESTS)


class QuoteAsked(Asked):
    """A stay to be quoted."""

    hotel_id: AskedHotel
    check_in: Day = Field(description="Day of arrival, today or later.")
    check_out: Day = Field(description="Day of departure; at most 400 nights.")
    rooms: list[RoomAsked] = Field(description="The rooms.", min_length=1, max_length=MOST_ROOMS)

    def stay(self) -> Stay:
        """What is to be quoted."""
        rooms = [QuotedRoom(room.room_type_id, room.plan_key, room.number_of_people) for room in self.rooms]
        return Stay(self.hotel_id, self.check_in, self.check_out, rooms)


class QuoteNight(Answer):
    """What a room costs for a night."""

    date: NightDate
    price: Price
    net_price: NetPrice
    total: int = Field(description="Yen with tax for the room and its people.")
    net_total: int = Field(description="The same without tax.")


class QuoteRoom(Answer):
    """What a room costs."""

    room_type_id: RoomTypeId
    plan_key: PlanKey
    plan_type: PlanType
    number_of_people: int = Field(description="People in this room.")
    total: int = Field(description="Yen with tax for all nights.")
    net_total: int = Field(description="The same without tax.")
    nights: list[QuoteNight] = Field(description="By date.")


class QuoteAnswer(Answer):
    """A quote. The price holds for a booking with it until it expires, unless the hotel changes its rates."""

    as_of: AsOf
    stale: Stale
    quote: str = Field(description="The token to send with `POST /bookings`.")
    expires_at: AwareDatetime = Field(description="When it ceases to be good: RFC 3339, UTC.")
    hotel_id: HotelId
    check_in: date = Field(description="Day of arrival.")
    check_out: date = Field(description="Day of departure.")
    currency: Currency
    total: int = Field(description="Yen with tax for all rooms and nights.")
    net_total: int = Field(description="The same without tax.")
    tax_total: int = Field(description="The tax in it.")
    cancellation_fee: int = Field(description="What of `total` is due even where the booking is cancelled.")
    rooms: list[QuoteRoom] = Field(description="As asked, in that order.")


def quote(context: Context, source: str, priced: Priced, fresh: Fresh) -> QuoteAnswer:
    """A quote for one client; fresh: as of before its price was read from the PMS."""
    stay, total, net = priced.stay, priced.total, priced.net_total
    token, expires_at = sign(context.secrets, source, stay, total, net)
    return QuoteAnswer(
        as_of=fresh.as_of,
        stale=fresh.stale,
        quote=token,
        expires_at=expires_at,
        hotel_id=stay.hotel_id,
        check_in=stay.check_in,
        check_out=stay.check_out,
        currency="JPY",
        total=total,
        net_total=net,
        tax_total=total - net,
        cancellation_fee=priced.cancellation_fee,
        rooms=[_room(room, priced.nights[room.plan_key]) for room in stay.rooms],
    )


def _room(room: QuotedRoom, nights: Sequence[Night]) -> QuoteRoom:
    said = [
        QuoteNight(
            date=night.date,
            price=night.price.price,
            net_price=night.price.net_price,
            total=night.revenue(room.number_of_people),
            net_total=net_revenue(night, room.number_of_people),
        )
        for night in nights
    ]
    return QuoteRoom(
        room_type_id=room.room_type_id,
        plan_key=room.plan_key,
        plan_type=nights[0].plan_type,
        number_of_people=room.number_of_people,
        total=sum(night.total for night in said),
        net_total=sum(night.net_total for night in said),
        nights=said,
    )


async def make_quote(call: Call[Nothing, QuoteAsked]) -> Reply:
    """Quote a stay."""
    asked = call.body
    check_nights(asked.check_in, asked.check_out, today(call.context.options.time_zone), place="body")
    stay, fresh = asked.stay(), freshness.now()
    async with call.context.connection() as conn:
        check_rooms(stay, await stock(conn, stay.hotel_id, stay.check_in, stay.check_out), fresh)
        tariff = await call.context.prices.tariff(conn, stay.hotel_id, stay.check_in, stay.check_out)
    priced = price_stay(tariff, stay)
    return Reply(quote(call.context, call.access.source, priced, fresh), headers={"Cache-Control": "no-store"})


_ROOM = {"room_type_id": 31, "plan_key": "2h18", "number_of_people": 2}
_STAY = {"hotel_id": 7, "check_in": "2026-12-24", "check_out": "2026-12-25"}
_MONEY = {"total": 18600, "net_total": 16910}
_EXAMPLE = {
    "as_of": "2026-11-23T05:14:56.118204Z",
    "stale": False,
    "quote": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJyb29td2lyZSJ9.Jz0fXn3m2",
    "expires_at": "2026-11-23T05:29:56Z",
    **_STAY,
    "currency": "JPY",
    **_MONEY,
    "tax_total": 1690,
    "cancellation_fee": 18600,
    "rooms": [
        {
            **_ROOM,
            "plan_type": "per_person",
            **_MONEY,
            "nights": [{"date": "2026-12-24", "price": 9300, "net_price": 8455, **_MONEY}],
        }
    ],
}

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/quotes",
        handler=make_quote,
        name="makeQuote",
        tag="Availability",
        summary="Quote a stay",
        description="Checks rooms and plans as a booking does and signs the price. No room is kept.",
        body=QuoteAsked,
        body_example={**_STAY, "rooms": [_ROOM]},
        returns={200: Returns("The quote.", QuoteAnswer, _EXAMPLE)},
        problems=("unknown_room_type", "unknown_plan", "too_many_people", "plan_not_on_sale", "sold_out"),
        links={
            200: {
                "book": Link(
                    "makeBooking",
                    "Book it at this price.",
                    body={name: f"$request.body#/{name}" for name in ("hotel_id", "check_in", "check_out", "rooms")}
                    | {"quote": "$response.body#/quote"},
                )
            }
        },
    ),
)
