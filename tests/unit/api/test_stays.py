"""Guests over rooms: against every way to put them."""

from datetime import date
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from api.availability.stays import fit, parties, suggestion, why_not
from sql.pms.stays import Stock

capacities = st.lists(st.integers(1, 4), max_size=5)


def stock(free: list[int], *, type_id: int = 1, full: list[date] | None = None) -> Stock:
    return Stock(type_id, "ツイン", len(free), max(free, default=None), sorted(free), full or [])


@given(st.integers(1, 40), st.integers(1, 10))
def test_parties_are_as_even_as_they_go(guests: int, rooms: int) -> None:
    if guests < rooms:
        return
    sizes = parties(guests, rooms)
    assert (sum(sizes), len(sizes)) == (guests, rooms)
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 1


@given(capacities, st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_parties_fit_where_some_way_to_put_them_does(rooms: list[int], sizes: list[int]) -> None:
    sizes.sort(reverse=True)
    somehow = any(
        all(room >= size for size, room in zip(sizes, chosen, strict=True))
        for chosen in permutations(rooms, len(sizes))
    )
    assert fit(sizes, rooms) == somehow
    assert (why_not(stock(rooms), sizes) is None) == somehow


@given(st.lists(capacities, max_size=3), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_suggestion_is_there_exactly_where_the_hotel_has_room_and_can_be_taken(
    types: list[list[int]], sizes: list[int]
) -> None:
    sizes.sort(reverse=True)
    stocks = [stock(free, type_id=n) for n, free in enumerate(types)]
    found = suggestion(stocks, sizes)
    assert bool(found) == fit(sizes, [room for free in types for room in free])
    assert [party["number_of_people"] for party in found] == (sizes if found else [])
    for one in stocks:
        mine = [p["number_of_people"] for p in found if p["room_type_id"] == one.room_type_id]
        assert fit(mine, one.free)
    if any(fit(sizes, one.free) for one in stocks):
        assert len({party["room_type_id"] for party in found}) == 1
