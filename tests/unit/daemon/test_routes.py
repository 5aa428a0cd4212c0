"""Routes: what each change of each followed table makes dirty."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.replication.changes import Action, Row
from daemon.routes import client_digest, route, route_everything
from outbox.dirty import Dirty, Scope
from sql.pms.tables import FOLLOWED

ACTIONS: tuple[Action, ...] = ("insert", "update", "delete")
HOTEL_7 = {Scope(kind, 7) for kind in ("content", "availability", "booking")}
CLIENT = {"name": "TBD", "name_kana": None, "name_kanji": "山田 太郎", "email": None, "phone": "03"}
NIGHT = {"hotel_id": "7", "id": "n1", "reservation_id": "r1", "date": "2026-12-24"}

Expected = dict[str, Any]
EVERY: list[tuple[str, Action, dict[str, str | None], Expected]] = [
    ("hotels", "insert", {"id": "7"}, {"hotels": {7}, "scopes": HOTEL_7}),
    ("hotels", "update", {"id": "7"}, {"hotels": {7}}),
    ("hotels", "delete", {"id": "7"}, {"hotels": {7}, "scopes": HOTEL_7}),
    *(
        ("room_types", action, {"hotel_id": "7"}, {"hotels": {7}, "scopes": {Scope("availability", 7)}})
        for action in ACTIONS
    ),
    ("rooms", "insert", {"hotel_id": "7", "id": "3"}, {"hotels": {7}, "scopes": {Scope("availability", 7)}}),
    (
        "rooms",
        "update",
        {"hotel_id": "7", "id": "3"},
        {"hotels": {7}, "scopes": {Scope("availability", 7)}, "rooms": {(7, 3)}},
    ),
    ("rooms", "delete", {"hotel_id": "7", "id": "3"}, {"hotels": {7}, "scopes": {Scope("availability", 7)}}),
    *(("plans_global", action, {"id": "1"}, {"scopes": {Scope("content", None)}}) for action in ACTIONS),
    *(("plans_hotel", action, {"hotel_id": "7"}, {"hotels": {7}}) for action in ACTIONS),
    *(("hotel_plan_exclusions", action, {"hotel_id": "7"}, {"hotels": {7}}) for action in ACTIONS),
    ("clients", "insert", {"id": "c1", **CLIENT}, {}),
    ("clients", "update", {"id": "c1", **CLIENT}, {"clients": {"c1": client_digest(CLIENT)}}),
    ("clients", "delete", {"id": "c1"}, {}),
    *(("reservations", action, {"hotel_id": "7", "id": "r1"}, {"reservations": {(7, "r1")}}) for action in ACTIONS),
    (
        "reservation_details",
        "insert",
        NIGHT,
        {"reservations": {(7, "r1")}, "nights": {(7, "2026-12-24")}, "inserted": {"n1"}},
    ),
    ("reservation_details", "update", NIGHT, {"reservations": {(7, "r1")}, "nights": {(7, "2026-12-24")}}),
    ("reservation_details", "delete", {"hotel_id": "7", "id": "n1"}, {"gone": {"n1"}}),
    *(
        (table, action, {"hotel_id": "7", "id": "x1", column: "n1"}, {"touched": {"n1"}})
        for table, column in (
            ("reservation_clients", "reservation_details_id"),
            ("reservation_addons", "reservation_detail_id"),
        )
        for action in ACTIONS[:2]
    ),
    *(
        (table, "delete", {"hotel_id": "7", "id": "x1"}, {"gone": {"x1"}})
        for table in ("reservation_clients", "reservation_addons")
    ),
]


def dirtied(table: str, action: Action, values: dict[str, str | None]) -> Dirty:
    dirty = Dirty()
    route(Row(action, "public", table, values), dirty)
    return dirty


@pytest.mark.parametrize(
    ("table", "action", "values", "expected"), EVERY, ids=[f"{table}-{action}" for table, action, *_ in EVERY]
)
def test_each_change_makes_these_keys_dirty_and_no_others(
    table: str, action: Action, values: dict[str, str | None], expected: Expected
) -> None:
    assert dirtied(table, action, values) == Dirty(**expected)


def test_every_followed_table_and_action_stands_above() -> None:
    assert {(table, action) for table, action, *_ in EVERY} == {(t, a) for t in FOLLOWED for a in ACTIONS}


@pytest.mark.parametrize(("table", "values"), [(table, values) for table, _, values, _ in EVERY])
def test_the_routes_ask_for_followed_columns_only(table: str, values: dict[str, str | None]) -> None:
    assert values.keys() <= FOLLOWED[table]


@pytest.mark.parametrize("missing", sorted(CLIENT))
def test_a_value_that_was_too_long_to_send_counts_as_changed(missing: str) -> None:
    told: dict[str, str | None] = {"id": "c1", **{name: text for name, text in CLIENT.items() if name != missing}}
    assert dirtied("clients", "update", told).clients == {"c1": ""}


def test_a_client_that_changes_there_and_back_counts_as_changed() -> None:
    dirty, later = Dirty(), Dirty()
    for name in ("A", "B"):
        route(Row("update", "public", "clients", {"id": "c1", **CLIENT, "name": name}), dirty)
    assert dirty.clients == {"c1": ""}
    route(Row("update", "public", "clients", {"id": "c1", **CLIENT, "name": "A"}), later)
    other = Dirty(clients={"c1": client_digest({**CLIENT, "name": "B"}), "c2": "2"})
    other.update(later)
    assert other.clients == {"c1": "", "c2": "2"}
    again = Dirty(clients=dict(later.clients))
    again.update(later)
    assert again.clients == later.clients


def test_null_and_empty_and_their_neighbours_have_different_digests() -> None:
    variants = [
        CLIENT,
        {**CLIENT, "email": ""},
        {**CLIENT, "name_kana": ""},
        {**CLIENT, "phone": None},
        {**CLIENT, "email": "03", "phone": None},
    ]
    assert len({client_digest(values) for values in variants}) == len(variants)


def test_null_where_the_schema_forbids_it_is_named() -> None:
    with pytest.raises(ValueError, match="column date "):
        dirtied("reservation_details", "update", {**NIGHT, "date": None})


@pytest.mark.parametrize("hotel", [7, None])
def test_everything_of_a_hotel_is_durable_work(hotel: int | None) -> None:
    dirty = Dirty()
    route_everything(dirty, hotel)
    assert dirty == Dirty(scopes={Scope(kind, hotel) for kind in ("content", "availability", "booking")})


def test_what_is_too_large_to_hold_becomes_work_on_the_hotels_concerned() -> None:
    dirty = Dirty(
        hotels={1},
        reservations={(1, "r1"), (2, "r2")},
        nights={(3, "2026-12-24")},
        inserted={"n1"},
        rooms={(1, 5)},
        scopes={Scope("content", 4)},
    )
    dirty.collapse()
    works = {Scope(kind, hotel) for hotel in (1, 2, 3) for kind in ("availability", "booking")}
    assert dirty == Dirty(hotels={1}, rooms={(1, 5)}, scopes={Scope("content", 4)} | works)


@pytest.mark.parametrize("held", [{"gone": {"n1"}}, {"touched": {"n1"}}, {"clients": {"c1": "d"}}])
def test_ids_without_a_hotel_become_work_on_every_hotel(held: Expected) -> None:
    dirty = Dirty(**held)
    dirty.collapse()
    assert dirty == Dirty(scopes={Scope("booking", None)})
