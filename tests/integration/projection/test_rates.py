"""What plans cost: every way in which rates change, and which documents follow."""

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.integration.projection.house import HOTEL, House

OWN = "h2"
"""A plan of hotel 1's own; hotel 2's is h5."""
ADD: LiteralString = (
    "insert into plans_rates (hotel_id, plans_global_id, plans_hotel_id, adjustment_type, adjustment_value,"
    " tax_type_id, tax_rate, condition_type, condition_value, date_start) values (%(hotel)s, %(general)s, %(own)s,"
    " 'flat_fee', 700, 3, 0.1, %(kind)s, %(said)s, '2025-01-01')"
)
NEWEST: LiteralString = "(select max(id) from plans_rates)"


async def add(house: House, *, general: int | None = None, own: int | None = None, said: str | None = None) -> None:
    """Add a fee to a plan, on the days that `said` names or always."""
    kind = "day_of_week" if said else "no_restriction"
    await house.write(ADD, hotel=HOTEL if own else None, general=general, own=own, kind=kind, said=said)


async def versions(house: House) -> dict[tuple[str, int, str], int]:
    """The versions of all documents but availability's."""
    rows = await house.desk.execute(
        "select kind, hotel_id, id, version from booking_engine.document where kind <> 'availability'"
    )
    return {(kind, hotel, number): version for kind, hotel, number, version in await rows.fetchall()}


async def changed(house: House, *statements: LiteralString) -> set[tuple[str, int, str]]:
    """The keys that get another version by one transaction of the PMS; documents are right afterwards."""
    before = await versions(house)
    await house.write(*statements)
    await house.follow()
    assert await house.wrong() == []
    after = await versions(house)
    assert all(after[key] >= version for key, version in before.items())
    return {key for key, version in after.items() if version != before.get(key)}


async def test_a_rate_of_a_hotels_plan_is_told_at_once(house: House) -> None:
    await add(house, own=2)
    (transaction,) = await house.stream()
    assert (await house.project(transaction)).content == 1
    assert await house.ask("select count(*) from booking_engine.dirty_scope") == 0
    assert await house.wrong() == []


async def test_a_rate_that_changes_its_value_changes_its_plan_alone(house: House) -> None:
    await add(house, own=2)
    await house.follow()
    more = await changed(house, "update plans_rates set adjustment_value = 900 where id = " + NEWEST)
    assert more == {("rates", HOTEL, OWN)}


async def test_a_rate_of_a_global_plan_changes_it_in_every_hotel(house: House) -> None:
    await add(house, general=2)
    await house.follow()
    everywhere = {("rates", 1, "2h"), ("rates", 2, "2h")}
    assert await changed(house, "update plans_rates set adjustment_value = 900 where id = " + NEWEST) == everywhere
    assert await changed(house, "delete from plans_rates where id = " + NEWEST) == everywhere
    await add(house, general=1)
    await house.follow()
    assert await changed(house, "delete from plans_rates where id = " + NEWEST) == {
        ("rates", 1, "1h1"),
        ("rates", 2, "1h4"),
    }


async def test_a_deleted_rate_tells_only_its_id(house: House) -> None:
    await add(house, own=2)
    await house.follow()
    assert await changed(house, "delete from plans_rates where id = " + NEWEST) == {("rates", HOTEL, OWN)}


@pytest.mark.parametrize(
    ("to", "key"),
    [
        ("hotel_id = 2, plans_hotel_id = 5", ("rates", 2, "h5")),
        ("hotel_id = 1, plans_hotel_id = 3", ("rates", 1, "3h3")),
    ],
)
async def test_a_rate_that_was_put_under_another_plan_leaves_the_first(
    house: House, to: LiteralString, key: tuple[str, int, str]
) -> None:
    await add(house, own=2)
    await house.follow()
    moved = await changed(house, "update plans_rates set " + to + " where id = " + NEWEST)
    assert moved == {("rates", HOTEL, OWN), key}


async def test_a_rate_becomes_one_of_all_hotels(house: House) -> None:
    await add(house, own=2)
    await house.follow()
    wider = (
        "update plans_rates set hotel_id = null, plans_hotel_id = null, plans_global_id = 2 where id = " + NEWEST
    )
    assert await changed(house, wider) == {("rates", HOTEL, OWN), ("rates", 1, "2h"), ("rates", 2, "2h")}


async def test_a_rate_that_never_holds_is_not_told(house: House) -> None:
    before = await versions(house)
    await add(house, own=2, said='["Friday"]')
    await add(house, own=2, said="nonsense")
    await house.follow()
    assert await versions(house) == before


async def test_a_plan_that_is_all_hotels_costs_per_person_everywhere(house: House) -> None:
    more = await changed(house, "update plans_global set plan_type = 'per_person' where id = 1")
    assert {key for key in more if key[0] == "rates"} == {("rates", 1, "1h1"), ("rates", 2, "1h4")}


async def test_rates_go_and_come_with_their_plan(house: House) -> None:
    exclude: LiteralString = "insert into hotel_plan_exclusions (hotel_id, global_plan_id) values (1, 2)"
    assert await changed(house, exclude) == {("plan", 1, "2h"), ("rates", 1, "2h")}
    gone = "select count(*) from booking_engine.document where id = '2h' and hotel_id = 1 and body is null"
    assert await house.ask(gone) == 2
    back: LiteralString = "delete from hotel_plan_exclusions where hotel_id = 1 and global_plan_id = 2"
    assert await changed(house, back) == {("plan", 1, "2h"), ("rates", 1, "2h")}
    # Without the hotel's variant it offers the global plan itself.
    assert await changed(house, "delete from plans_hotel where id = 3") == {
        (kind, 1, number) for kind in ("plan", "rates") for number in ("3h3", "3h")
    }


async def test_a_new_plan_has_rates_before_it_has_a_price(house: House) -> None:
    await house.write("insert into plans_global (name) values ('全館')")
    number = await house.ask("select max(id) from plans_global")
    await house.follow()
    body = await house.ask(
        "select body from booking_engine.document where kind = 'rates' and id = %(id)s", id=f"{number}h"
    )
    assert body["periods"] == []


async def test_emptied_rates_leave_plans_that_cannot_be_sold(house: House) -> None:
    assert ("rates", HOTEL, OWN) in await changed(house, "truncate plans_rates")
    sold = "select count(*) from booking_engine.document where kind = 'rates' and body -> 'periods' <> '[]'"
    assert await house.ask(sold) == 0
