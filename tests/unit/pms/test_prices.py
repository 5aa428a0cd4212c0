"""The price of a night, by the rules of the PMS."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from deploy.pms.prices import Rate, price

START, FRIDAY, SUNDAY = date(2026, 1, 1), date(2026, 12, 4), date(2026, 12, 6)


def rate(
    kind: str,
    value: str,
    condition: str = "no_restriction",
    names: str | None = None,
    *,
    end: date | None = None,
    tax: int = 3,
) -> Rate:
    return Rate(kind, Decimal(value), condition, names, START, end, tax, Decimal("0.1"))


@pytest.mark.parametrize(
    ("rates", "night", "yen"),
    [
        ([], FRIDAY, 0),
        ([rate("base_rate", "8000"), rate("base_rate", "500")], FRIDAY, 8500),
        ([rate("base_rate", "9350")], FRIDAY, 9300),
        ([rate("base_rate", "8000"), rate("flat_fee", "150"), rate("flat_fee", "60")], FRIDAY, 8200),
        ([rate("base_rate", "8000"), rate("percentage", "12.5", "day_of_week", '["friday"]')], FRIDAY, 9000),
        ([rate("base_rate", "8000"), rate("percentage", "12.5", "day_of_week", '["friday"]')], SUNDAY, 8000),
        ([rate("base_rate", "8000"), rate("flat_fee", "1000", "month", '["december", "may"]')], SUNDAY, 9000),
        ([rate("base_rate", "8000"), rate("flat_fee", "1000", "month", '["may"]')], SUNDAY, 8000),
        ([rate("base_rate", "8000", end=date(2026, 12, 5))], FRIDAY, 8000),
        ([rate("base_rate", "8000", end=date(2026, 12, 5))], SUNDAY, 0),
        ([rate("base_rate", "8000"), rate("percentage", "-10"), rate("percentage", "-10", tax=2)], FRIDAY, 6400),
    ],
)
def test_price(rates: list[Rate], night: date, yen: int) -> None:
    assert price(rates, night) == yen


def test_a_rate_does_not_hold_before_its_start() -> None:
    assert not rate("base_rate", "1").holds(date(2025, 12, 31))
