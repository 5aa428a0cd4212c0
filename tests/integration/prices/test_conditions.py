"""When a rate holds: seasons, weekdays, months, however they are written."""

from __future__ import annotations

from datetime import date

import pytest

from tests.integration.prices.catalogue import (
    FRIDAY,
    OWN,
    SUNDAY,
    Catalogue,
    Rate,
    fee,
)
from tests.support.truth.rates import MONTHS, WEEKDAYS


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        (FRIDAY, FRIDAY, [FRIDAY]),
        (FRIDAY, None, [FRIDAY, SUNDAY, date(2031, 1, 1), date(9998, 12, 31)]),
        (FRIDAY, SUNDAY, [FRIDAY, SUNDAY]),
        (SUNDAY, FRIDAY, []),
        (FRIDAY, date(9999, 12, 31), [FRIDAY, SUNDAY, date(2031, 1, 1), date(9998, 12, 31)]),
        (FRIDAY, "infinity", [FRIDAY, SUNDAY, date(2031, 1, 1), date(9998, 12, 31)]),
        ("-infinity", FRIDAY, [date(1, 1, 2), date(2026, 12, 3), FRIDAY]),
        ("0044-03-15 BC", SUNDAY, [date(1, 1, 2), date(2026, 12, 3), FRIDAY, SUNDAY]),
        ("infinity", None, []),
    ],
)
async def test_season(catalogue: Catalogue, start: date | str, end: date | str | None, held: list[date]) -> None:
    await catalogue.add(Rate(start=start, end=end))
    asked = [
        date(1, 1, 2),
        date(2026, 12, 3),
        FRIDAY,
        SUNDAY,
        date(2026, 12, 7),
        date(2031, 1, 1),
        date(9998, 12, 31),
    ]
    late = {date(2026, 12, 7)} if date(2031, 1, 1) in held else set()
    assert {day for day in asked if await catalogue.night(day)} == {*held} | late


SAYS_NOTHING = [
    None,
    "",
    " ",
    "friday",
    '"friday"',
    "null",
    "[]",
    "{}",
    '{"friday": true}',
    '["friday"',
    '["friday",]',
    "['friday']",
    '["Friday"]',
    '["FRIDAY"]',
    '["fri"]',
    '["friday "]',
    '["friday", 5]',
    '[["friday"]]',
    '["december"]',
    '["saturday"] ["friday"]',
    '["a\\u0000", "friday"]',
]


@pytest.mark.parametrize("said", SAYS_NOTHING)
async def test_a_condition_that_names_no_day_never_holds(catalogue: Catalogue, said: str | None) -> None:
    await catalogue.add(Rate(), fee("1000", said=("day_of_week", said)))
    assert {night.price.price for night in await catalogue.nights([OWN], FRIDAY, date(2026, 12, 11))} == {8000}


@pytest.mark.parametrize("said", ['["may"]', '["December"]', '["friday"]', "december", None])
async def test_nor_does_one_that_names_no_month(catalogue: Catalogue, said: str | None) -> None:
    await catalogue.add(Rate(), fee("1000", said=("month", said)))
    assert {night.price.price for night in await catalogue.nights([OWN], FRIDAY, date(2026, 12, 11))} == {8000}


@pytest.mark.parametrize("said", ['["friday"]', ' [\t"friday" ,\n"holiday","sunday" ]\r\n', '["sunday","friday"]'])
async def test_a_condition_may_be_written_in_many_ways(catalogue: Catalogue, said: str) -> None:
    await catalogue.add(Rate(), fee("1000", said=("day_of_week", said)))
    found = await catalogue.night(FRIDAY)
    assert found
    assert found.price.price == 9000


async def test_what_is_said_of_no_restriction_does_not_count(catalogue: Catalogue) -> None:
    await catalogue.add(Rate(said=("no_restriction", "{nonsense")))
    assert await catalogue.night(FRIDAY)


async def test_every_weekday_and_month_by_its_name(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate("1000"),
        *(fee(str(100 * n), weekdays=[name]) for n, name in enumerate(WEEKDAYS, start=1)),
        *(fee(str(1000 * n), months=[name]) for n, name in enumerate(MONTHS, start=1)),
    )
    nights = await catalogue.nights([OWN], date(2026, 11, 23), date(2028, 11, 22))
    assert len(nights) == 730
    for night in nights:
        assert night.price.price == 1000 + 100 * night.date.isoweekday() + 1000 * night.date.month
