"""Which lanes are whose."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.shares import Shares, owned

ROSTERS = st.sets(st.uuids(), min_size=1, max_size=12)


def everybody(roster: set[UUID], endpoint_id: int, whole: int) -> dict[UUID, int]:
    return {worker: owned(worker, roster, endpoint_id, whole) for worker in roster}


@given(ROSTERS, st.integers(1, 1000), st.integers(1, 100))
def test_every_lane_has_one_owner(roster: set[UUID], endpoint_id: int, whole: int) -> None:
    assert sum(everybody(roster, endpoint_id, whole).values()) == whole


@given(ROSTERS, st.uuids(), st.integers(1, 1000), st.integers(1, 100))
def test_who_comes_only_takes_and_who_goes_only_leaves(
    roster: set[UUID], other: UUID, endpoint_id: int, whole: int
) -> None:
    without, among = (
        everybody(roster - {other}, endpoint_id, whole),
        everybody(roster | {other}, endpoint_id, whole),
    )
    assert all(among[worker] <= without[worker] for worker in without)


def test_many_workers_have_about_the_same_and_most_of_them_nothing_where_there_is_little() -> None:
    roster = {uuid4() for _ in range(4)}
    lanes = [sum(owned(worker, roster, endpoint, 8) for endpoint in range(100)) for worker in roster]
    assert sum(lanes) == 800
    assert min(lanes) > 100
    assert sorted(everybody(roster, 5, 1).values()) == [0, 0, 0, 1]


def test_what_began_before_somebody_came_is_beyond_what_is_ones_own() -> None:
    me, other = uuid4(), uuid4()
    shares = Shares(me)
    assert shares.lanes(1, 100) == 100
    shares.busy[1] = 100
    assert shares.kept
    assert shares.meet([other])
    assert not shares.meet([other])
    assert not shares.kept
    shares.busy[1] = shares.lanes(1, 100)
    assert shares.kept
    assert 0 < shares.busy[1] < 100
    assert shares.meet([])
    assert shares.lanes(1, 100) == 100
    assert shares.lanes(1, 10) == 10, "its operator may change how many there are"
