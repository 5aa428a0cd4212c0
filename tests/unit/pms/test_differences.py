"""The comparison of a mirror with the truth finds every kind of difference, and no other."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from tests.support.mirror import Mirror, differences
from tests.support.mirror.state import Held, HeldNight
from tests.support.truth import Truth

TODAY = date(2026, 11, 23)
GUEST = {"client_id": "c1", "name": "佐藤 葵"}
BOOKING = {
    "hotel_id": 1,
    "check_out": "2026-12-02",
    "comment": "窓側",
    "guest": GUEST,
    "nights": [{"date": "2026-12-01", "price": 8000, "cancelled": False, "guests": [GUEST], "addons": []}],
}


def pair() -> tuple[Mirror, Truth]:
    """A mirror and a truth that agree."""
    truth = Truth(
        TODAY,
        {("room_type", 1, "7"): {"name": "和室"}, ("booking", 1, "a1"): deepcopy(BOOKING)},
        {(1, 7, "2026-12-01"): (4, 1)},
    )
    mirror = Mirror(
        held={key: Held(5, deepcopy(body)) for key, body in truth.documents.items()},
        held_nights={(1, 7, "2026-12-01"): HeldNight(5, 4, 1, 3)},
    )
    return mirror, truth


def test_equal_is_no_difference() -> None:
    assert differences(*pair()) == []


def test_a_missing_document_and_a_superfluous_one_are_named() -> None:
    mirror, truth = pair()
    mirror.held["plan", 2, "3h"] = Held(5, {"name": "素泊まり"})
    del mirror.held["booking", 1, "a1"]
    assert differences(mirror, truth) == [
        "booking 1/a1: missing in the mirror",
        "plan 2/3h: in the mirror, not in the PMS",
    ]


def test_a_tombstone_is_nothing() -> None:
    mirror, truth = pair()
    mirror.held["booking", 1, "a1"] = Held(9, None)
    assert differences(mirror, truth) == ["booking 1/a1: missing in the mirror"]


def test_the_differing_field_is_named() -> None:
    mirror, truth = pair()
    truth.documents["booking", 1, "a1"]["nights"][0]["price"] = 9000
    assert differences(mirror, truth) == ["booking 1/a1: nights[0].price is 8000 in the mirror, 9000 in the PMS"]


def test_an_absent_field_and_another_type_differ() -> None:
    mirror, truth = pair()
    body: dict[str, Any] = truth.documents["booking", 1, "a1"]
    del body["comment"]
    body["nights"][0]["cancelled"] = 0
    assert differences(mirror, truth) == [
        "booking 1/a1: comment is '窓側' in the mirror, absent in the PMS",
        "booking 1/a1: nights[0].cancelled is False in the mirror, 0 in the PMS",
    ]


def test_nights_are_compared_within_the_horizon() -> None:
    mirror, truth = pair()
    mirror.held_nights[1, 7, "2026-11-21"] = HeldNight(5, 4, 1, 3)
    assert differences(mirror, truth) == []
    mirror.held_nights[1, 7, "2026-12-01"] = HeldNight(5, 4, 2, 2)
    truth.nights[1, 7, "2026-12-02"] = (4, 0)
    assert differences(mirror, truth) == [
        "availability 1/7 2026-12-01 (sellable, occupied): mirror (4, 2), PMS (4, 1)",
        "availability 1/7 2026-12-02 (sellable, occupied): mirror nothing, PMS (4, 0)",
    ]


def test_a_booking_that_grew_too_old_may_stay() -> None:
    mirror, truth = pair()
    mirror.held["booking", 1, "b2"] = Held(5, BOOKING | {"check_out": "2026-10-23"})
    assert differences(mirror, truth) == []
    mirror.held["booking", 1, "b2"] = Held(5, BOOKING | {"check_out": "2026-10-24"})
    assert differences(mirror, truth) == ["booking 1/b2: in the mirror, not in the PMS"]


def test_guests_are_a_difference_for_those_who_may_not_know_them() -> None:
    mirror, truth = pair()
    lines = differences(mirror, truth, guests=False)
    assert [line.split(" is ")[0] for line in lines] == [
        "booking 1/a1: comment",
        "booking 1/a1: guest",
        "booking 1/a1: nights[0].guests",
    ]
    blank = BOOKING | {"comment": None, "guest": None, "nights": [BOOKING["nights"][0] | {"guests": []}]}  # type: ignore[index]  # a night is a dict
    mirror.held["booking", 1, "a1"] = Held(5, blank)
    assert differences(mirror, truth, guests=False) == []


def test_only_the_hotels_of_an_endpoint_are_expected() -> None:
    mirror, truth = pair()
    truth.documents["plan", 2, "3h"] = {"name": "素泊まり"}
    truth.nights[2, 9, "2026-12-01"] = (1, 0)
    assert differences(mirror, truth, hotels={1}) == []
    assert len(differences(mirror, truth)) == 2
    assert len(differences(mirror, truth, hotels={2})) == 5


def rates(*entries: tuple[int, str | None, str | None, list[int]]) -> dict[str, Any]:
    """Rates of plan 3h: price, first and last boundary, and months of each entry, on Tuesdays and Wednesdays."""
    weekdays = ["tuesday", "wednesday"]
    return {
        "plan_key": "3h",
        "periods": [
            {
                "from": first,
                "until": until,
                "prices": [
                    {
                        "price": price,
                        "net_price": price - 1,
                        "cancel_fee": 0,
                        "months": months,
                        "weekdays": weekdays,
                    }
                ],
            }
            for price, first, until, months in entries
        ],
    }


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (rates((900, "2026-12-01", "2026-12-02", [12]), (800, "2026-12-02", None, [12])), []),
        (rates((900, None, "2026-12-02", [11, 12]), (800, "2026-12-02", None, [1, 12])), []),
        (rates((900, "2026-12-01", None, [12])), ["2026-12-02"]),
        (rates((900, "2026-12-01", "2026-12-02", [12]), (800, "2026-12-01", None, [12])), ["2026-12-01"]),
        (rates((900, "2026-12-01", "2026-12-02", [12])), ["2026-12-02"]),
        (rates((900, "2026-12-01", "2026-12-02", [11]), (800, "2026-12-02", None, [12])), ["2026-12-01"]),
    ],
)
def test_rates_are_compared_night_by_night(told: dict[str, Any], wrong: list[str]) -> None:
    mirror, truth = pair()
    nights = {"2026-12-01": [900, 899, 0], "2026-12-02": [800, 799, 0], "2026-12-03": None}
    truth.documents["rates", 1, "3h"] = {"plan_key": "3h", "nights": nights}
    mirror.held["rates", 1, "3h"] = Held(5, told)
    found = {line.removeprefix("rates 1/3h: nights.")[:10] for line in differences(mirror, truth)}
    assert found == set(wrong)
