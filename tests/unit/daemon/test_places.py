"""Nights that stay where they stood take no room and free none: known where the stream told of them before."""

from __future__ import annotations

import pytest

from daemon import places
from daemon.places import Places
from daemon.replication.changes import Action, Row, Values
from daemon.routes import route
from outbox.dirty import Dirty

NIGHT: Values = {
    "hotel_id": "7",
    "id": "n1",
    "reservation_id": "r1",
    "date": "2026-12-24",
    "room_id": "3",
    "cancelled": None,
}


def change(action: Action, values: Values | None = None, old: Values | None = None) -> Row:
    return Row(action, "public", "reservation_details", NIGHT | (values or {}), old or {})


def told(*rows: Row) -> Places:
    known = Places()
    for row in rows:
        known.moved(row)
    return known


def test_an_update_that_leaves_a_night_where_it_was_makes_its_stay_dirty_and_no_night() -> None:
    dirty = Dirty()
    route(change("update"), dirty, told(change("insert")))
    assert dirty == Dirty(reservations={(7, "r1")})


@pytest.mark.parametrize(
    "other",
    [{"room_id": "4"}, {"room_id": None}, {"date": "2026-12-25"}, {"reservation_id": "r2"}, {"cancelled": "c1"}],
    ids=lambda other: next(iter(other)),
)
def test_whatever_takes_or_frees_a_room_moves_a_night_there_and_back(other: Values) -> None:
    known = told(change("insert"))
    assert known.moved(change("update", other))
    assert not known.moved(change("update", other))
    assert known.moved(change("update"))


def test_one_that_is_cancelled_again_frees_nothing() -> None:
    assert not told(change("update", {"cancelled": "c1"})).moved(change("update", {"cancelled": "c2"}))


def test_what_the_stream_has_not_told_counts_as_moved() -> None:
    assert Places().moved(change("update"))
    assert told(change("insert")).moved(change("update", {"id": "n2"}))
    assert told(change("insert")).moved(change("update", {"hotel_id": "8"}))


def test_inserts_deletes_and_told_old_values_count_as_moved() -> None:
    known = told(change("insert"))
    assert known.moved(change("insert"))
    assert known.moved(Row("delete", "public", "reservation_details", {"hotel_id": "7", "id": "n1"}))
    assert known.moved(change("update", old={"id": "n0"}))


def test_after_a_change_without_its_place_nothing_is_known_any_more() -> None:
    known = told(change("insert"))
    place_less = Row("update", "public", "reservation_details", {"hotel_id": "7", "id": "n2"})
    assert known.moved(place_less)
    assert known.moved(change("update"))


def test_the_newest_nights_are_remembered_and_the_oldest_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MOST", 2)
    known = told(*(change("insert", {"id": f"n{n}"}) for n in range(5)))
    assert [known.moved(change("update", {"id": f"n{n}"})) for n in (4, 3, 0)] == [False, False, True]
