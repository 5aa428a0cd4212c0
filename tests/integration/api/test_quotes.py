"""Quotes: priced as every other door prices, signed, and good for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from api.quotes import tokens
from api.quotes.tokens import QuotedRoom, Stay
from api.request.problems import Problem
from tests.support.api import Answered, Api

ROOM = {"room_type_id": 2, "plan_key": "2h", "number_of_people": 2}


def asked(api: Api, *rooms: dict[str, Any], **wishes: Any) -> dict[str, Any]:
    """A stay of two nights in the third month, when the seed has no stays."""
    stay = {"hotel_id": 1, "check_in": str(api.day(70)), "check_out": str(api.day(72))}
    return stay | {"rooms": list(rooms or [ROOM])} | wishes


async def test_a_quote_says_what_a_stay_and_the_pricing_say(api: Api) -> None:
    single = {"room_type_id": 1, "plan_key": "2h", "number_of_people": 1}
    answer = await api.post("/quotes", asked(api, ROOM, single))
    assert answer.status == 200, answer.body
    said = answer.body
    found = await api.get("/availability/1", check_in=api.day(70), check_out=api.day(72), guests=3, rooms=2)
    (plan,) = (plan for plan in found.body["plans"] if plan["plan_key"] == "2h")
    money = ("total", "net_total", "tax_total")
    assert [said[name] for name in money] == [plan[name] for name in money]
    door = await api.get(
        "/hotels/1/pricing", **{"from": api.day(70), "to": api.day(72), "plan_key": "2h", "guests": 2}
    )
    (priced,) = door.body["plans"]
    assert said["rooms"][0]["total"] == sum(night["total"] for night in priced["nights"])
    quoted = tokens.verify(api.context.secrets, "engine", said["quote"])
    rooms = [QuotedRoom(1, "2h", 1), QuotedRoom(2, "2h", 2)]
    assert quoted.stay.same_as(Stay(1, api.day(70), api.day(72), rooms))
    assert not quoted.stay.same_as(Stay(1, api.day(70), api.day(72), rooms[:1]))
    assert (quoted.total, quoted.net_total) == (said["total"], said["net_total"])
    assert quoted.expires_at.isoformat().replace("+00:00", "Z") == said["expires_at"]


@pytest.mark.parametrize("zone", ["Etc/GMT-14", "Etc/GMT+12"])
async def test_a_stay_begins_on_the_day_that_it_is_at_the_hotel(api: Api, zone: str) -> None:
    object.__setattr__(api.context.options, "time_zone", zone)
    arrival = datetime.now(ZoneInfo(zone)).date()
    for day, past in ((arrival, False), (arrival - timedelta(days=1), True)):
        stay = {"check_in": str(day), "check_out": str(day + timedelta(days=1))}
        quoted = await api.post("/quotes", asked(api, **stay))
        assert (quoted.code == "invalid_request") is past, (zone, quoted.body)
        booked = await api.post("/bookings", asked(api, external_id=str(day), guest={"name": "林"}, **stay))
        assert (booked.code == "invalid_request") is past, (zone, booked.body)


async def test_a_quote_of_another_client_or_one_that_was_changed_is_none(api: Api) -> None:
    token = (await api.post("/quotes", asked(api))).body["quote"]
    head, claims, signature = token.split(".")
    for source, text in (
        ("other", token),
        ("engine", f"{head}.{claims[:-2]}AA.{signature}"),
        ("engine", f"{head}.{claims}."),
        ("engine", "no token"),
        ("engine", api.mine),
    ):
        with pytest.raises(Problem) as refused:
            tokens.verify(api.context.secrets, source, text)
        assert refused.value.code == "quote_invalid"


async def test_a_quote_expires(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "QUOTE_SECONDS", -1)
    token = (await api.post("/quotes", asked(api))).body["quote"]
    with pytest.raises(Problem) as refused:
        tokens.verify(api.context.secrets, "engine", token)
    assert refused.value.code == "quote_expired"


async def test_what_cannot_be_booked_is_not_quoted(api: Api) -> None:
    closed = await api.value("select id from plans_hotel where hotel_id = 1 and not is_active")
    suites = await api.value(
        "select count(*) from rooms where hotel_id = 1 and room_type_id = 6 and for_sale and not is_staff_room"
    )
    suite = ROOM | {"room_type_id": 6}
    wrong: list[tuple[dict[str, Any], int, str, str | None]] = [
        (asked(api, ROOM, ROOM | {"room_type_id": 999}), 404, "unknown_room_type", "/rooms/1/room_type_id"),
        (asked(api, ROOM | {"plan_key": "999h"}), 404, "unknown_plan", "/rooms/0/plan_key"),
        (asked(api, ROOM | {"plan_key": f"3h{closed}"}), 422, "plan_not_on_sale", "/rooms/0/plan_key"),
        (asked(api, ROOM | {"number_of_people": 3}), 422, "too_many_people", "/rooms/0/number_of_people"),
        (asked(api, *[suite] * (suites + 1)), 409, "sold_out", None),
        (asked(api, hotel_id=99), 404, "unknown_hotel", None),
        (asked(api, check_in=str(api.day(-1))), 422, "invalid_request", "/check_in"),
        (asked(api, check_out=str(api.day(70))), 422, "invalid_request", "/check_out"),
        (asked(api, check_out=str(api.day(471))), 422, "invalid_request", "/check_out"),
        (asked(api, rooms=[]), 422, "invalid_request", "/rooms"),
        (asked(api, ROOM | {"number_of_people": 0}), 422, "invalid_request", "/rooms/0/number_of_people"),
        (asked(api, ROOM | {"plan_key": "breakfast"}), 422, "invalid_request", "/rooms/0/plan_key"),
        (asked(api, colour="red"), 422, "invalid_request", "/colour"),
    ]
    for body, status, code, pointer in wrong:
        answer = await api.post("/quotes", body)
        assert (answer.status, answer.code) == (status, code), (body, answer.body)
        if pointer is not None:
            assert [error["pointer"] for error in answer.body["errors"]] == [pointer], answer.body
    assert (await api.post("/quotes", asked(api, *[suite] * suites))).status == 200
    foreign = await api.post("/quotes", asked(api), key=await api.key(hotels=(2,)))
    assert (foreign.status, foreign.code) == (404, "unknown_hotel")


async def test_pricing_refuses_a_plan_that_the_hotel_does_not_have(api: Api) -> None:
    nights = {"from": api.day(0), "to": api.day(2)}
    unknown = await api.get("/hotels/1/pricing", plan_key="999h", **nights)
    assert (unknown.status, unknown.code) == (404, "unknown_plan")
    for wrong, pointer in (
        ({"plan_key": "x"}, "/plan_key"),
        ({"guests": 0}, "/guests"),
        ({"to": api.day(0)}, "/to"),
    ):
        answer = await api.get("/hotels/1/pricing", **(nights | wrong))
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    one = await api.get("/hotels/1/pricing", plan_key="2h", **nights)
    assert [plan["plan_key"] for plan in one.body["plans"]] == ["2h"]
    assert one.body["plans"][0]["nights"][0]["total"] is None
    same = await api.get(
        "/hotels/1/pricing", plan_key="2h", headers={"If-None-Match": one.headers["ETag"]}, **nights
    )
    assert same.status == 304


async def test_nothing_is_sold_beyond_the_horizon_at_any_door(api: Api) -> None:
    room = {"room_type_id": 2, "number_of_people": 1}
    rooms = [room | {"plan_key": "2h"}]

    async def doors(last: int) -> list[tuple[str, Answered]]:
        stay = {"check_in": str(api.day(last - 1)), "check_out": str(api.day(last))}
        wanted = {"hotel_id": 1, **stay, "rooms": rooms}
        guest = {"external_id": str(uuid4()), "guest": {"name": "山田 花子"}}
        priced = {"from": stay["check_in"], "to": stay["check_out"]}
        keyed = {"headers": {"Idempotency-Key": str(uuid4())}}
        return [
            ("/check_out", await api.post("/quotes", wanted)),
            ("/check_out", await api.get("/availability/1", guests=1, **stay)),
            ("/to", await api.get("/hotels/1/pricing", **priced)),
            ("/check_out", await api.post("/holds", wanted | {"rooms": [room]}, **keyed)),
            ("/check_out", await api.post("/bookings", wanted | guest, headers={"Idempotency-Key": str(uuid4())})),
        ]

    for pointer, answer in await doors(731):
        assert (answer.status, answer.code) == (422, "invalid_request"), answer.body
        assert [fault["pointer"] for fault in answer.body["errors"]] == [pointer]
    assert [answer.status for _, answer in await doors(730)] == [200, 200, 200, 201, 201]


async def test_a_price_says_as_of_when_it_is(api: Api) -> None:
    before = datetime.now(UTC)
    said = (await api.post("/quotes", asked(api))).body
    assert before <= datetime.fromisoformat(said["as_of"]) <= datetime.now(UTC)
    assert said["stale"] is False
    booking = asked(api, expected_total=1, external_id="E1", guest={"name": "山田 花子"})
    other = await api.post("/bookings", booking, headers={"Idempotency-Key": "k"})
    assert other.code == "price_changed"
    assert (other.body["as_of"] >= said["as_of"], other.body["stale"]) == (True, False)
