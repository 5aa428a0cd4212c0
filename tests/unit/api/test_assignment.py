"""Which room goes to whom."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from api.bookings.assignment import Need, assign
from sql.pms.rooms import Room

needs = st.lists(st.builds(Need, st.integers(1, 2), st.integers(1, 4)), min_size=1, max_size=4)
rooms = st.lists(
    st.builds(Room, st.integers(1, 99), st.integers(1, 2), st.integers(1, 4), st.none() | st.integers(0, 3)),
    max_size=5,
    unique_by=lambda room: room.id,
)


def fits(need: Need, room: Room) -> bool:
    return need.room_type_id == room.room_type_id and need.people <= room.capacity


@given(needs, rooms)
def test_all_find_a_room_exactly_where_that_can_be(needs: list[Need], free: list[Room]) -> None:
    possible = any(all(map(fits, needs, chosen)) for chosen in permutations(free, len(needs)))
    given = assign(needs, free)
    assert (given is not None) == possible
    if given is not None:
        assert all(map(fits, needs, given))
        assert len({room.id for room in given}) == len(needs)
        assert set(given) <= set(free)


def test_priority_goes_before_size_and_size_before_number() -> None:
    room = [Room(1, 1, 2, None), Room(2, 1, 1, None), Room(3, 1, 4, 2), Room(4, 1, 3, 2), Room(5, 1, 3, 2)]
    given = []
    while room:
        chosen = assign([Need(1, 1)], room)
        assert chosen is not None
        given.append(chosen[0].id)
        room.remove(chosen[0])
    assert given == [4, 5, 3, 2, 1]
