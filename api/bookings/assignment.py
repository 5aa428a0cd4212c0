"""Which room goes to whom: pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sql.pms.rooms import Room


@dataclass(frozen=True, slots=True)
class Need:
    """One room that is asked for: its type, and how many people sleep there."""

    room_type_id: int
    people: int


def by_size(needs: Iterable[Need]) -> list[Need]:
    """Most people first: who fits the fewest rooms chooses first, so that everybody gets one where that can be."""
    return sorted(needs, key=lambda need: -need.people)


def assign(needs: Sequence[Need], free: Sequence[Room]) -> list[Room] | None:
    """A room for each need, in their order; None where they do not all find one.

    Of the rooms that fit, the one of the lowest assignment priority is taken, then the smallest.
    """
    left = sorted(free, key=_rank)
    given: dict[Need, list[Room]] = defaultdict(list)
    for need in by_size(needs):
        fitting = (room for room in left if room.room_type_id == need.room_type_id and room.capacity >= need.people)
        room = next(fitting, None)
        if room is None:
            return None
        left.remove(room)
        given[need].append(room)
    return [given[need].pop(0) for need in needs]


def _rank(room: Room) -> tuple[bool, int, int, int]:
    return room.priority is None, room.priority or 0, room.capacity, room.id
