"""Routes: what each change of each followed table makes dirty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from daemon.places import Places
from daemon.replication.changes import Action, Row
from daemon.routes import client_digest, route, route_everything
from outbox.dirty import ALL_CLIENTS, Dirty, Scope
from sql.pms.tables import FOLLOWED
from tests.unit.daemon.test_places import NIGHT

ACTIONS: tuple[Action, ...] = ("insert", "update", "delete")
HOTEL_7 = {Scope(kind, 7) for kind in ("content", "availability", "booking")}
CLIENT = {"name": "TBD", "name_kana": None, "name_kanji": "山田 太郎", "email": None, "phone": "03"}

Told = Mapping[str, str | None]


def case(table: str, action: Action, told: Told, **expected: Any) -> tuple[str, Action, Told, Dirty]:
    return table, action, told, Dirty(**expected)


HOTEL, ROOM, RESERVATION = {"id": "7"}, {"hotel_id": "7", "id": "3"}, {"hotel_id": "7", "id": "r1"}
OF_7 = {"hotel_id": "7"}
GUEST = {"hotel_id": "7", "id": "x1", "reservation_details_id": "n1"}
ADDON = {"hotel_id": "7", "id": "x1", "reservation_detail_id": "n1"}
RATE = {"hotel_id": "7", "id": "9", "plans_hotel_id": "3"}
GLOBAL_RATE = {"hotel_id": "7", "id": "9", "plans_hotel_id": None}
ALL_RATES = {Scope("rates", None)}
NIGHTS_OF_7 = {Scope("availability", 7)}
EVERY = [
    case("hotels", "insert", HOTEL, hotels={7}, scopes=HOTEL_7),
    case("hotels", "update", HOTEL, hotels={7}),
    case("hotels", "delete", HOTEL, hotels={7}, scopes=HOTEL_7),
    *(case("room_types", action, OF_7, hotels={7}, scopes=NIGHTS_OF_7) for action in ACTIONS),
    case("rooms", "insert", ROOM, hotels={7}, scopes=NIGHTS_OF_7),
    case("rooms", "update", ROOM, hotels={7}, scopes=NIGHTS_OF_7, rooms={(7, 3)}),
    case("rooms", "delete", ROOM, hotels={7}, scopes=NIGHTS_OF_7),
    *(case("plans_global", action, HOTEL, scopes={Scope("content", None)}) for action in ACTIONS),
    *(case("plans_hotel", action, OF_7, hotels={7}, rates={7}) for action in ACTIONS),
    *(case("hotel_plan_exclusions", action, OF_7, hotels={7}, rates={7}) for action in ACTIONS),
    case("plans_rates", "insert", RATE, rates={7}),
    case("plans_rates", "update", RATE, rates={7}, scopes=ALL_RATES),
    case("plans_rates", "delete", {"id": "9"}, scopes=ALL_RATES),
    *(case("plans_rates", action, GLOBAL_RATE, scopes=ALL_RATES) for action in ACTIONS[:2]),
    case("plans_rates", "insert", RATE | {"hotel_id": None}),
    case("clients", "insert", {"id": "c1", **CLIENT}),
    case("clients", "update", {"id": "c1", **CLIENT}, clients={"c1": client_digest(CLIENT)}),
    case("clients", "delete", {"id": "c1"}),
    *(case("reservations", action, RESERVATION, reservations={(7, "r1")}) for action in ACTIONS),
    case(
        "reservation_details",
        "insert",
        NIGHT,
        reservations={(7, "r1")},
        nights={(7, "2026-12-24")},
        inserted={"n1"},
    ),
    case("reservation_details", "update", NIGHT, reservations={(7, "r1")}, nights={(7, "2026-12-24")}),
    case("reservation_details", "delete", {"hotel_id": "7", "id": "n1"}, gone={"n1"}),
    *(case("reservation_clients", action, GUEST, touched={"n1"}) for action in ACTIONS[:2]),
    case("reservation_clients", "delete", {"hotel_id": "7", "id": "x1"}, gone={"x1"}),
    *(case("reservation_addons", action, ADDON, touched={"n1"}) for action in ACTIONS[:2]),
    case("reservation_addons", "delete", {"hotel_id": "7", "id": "x1"}, gone={"x1"}),
]


def dirtied(table: str, action: Action, values: Told) -> Dirty:
    dirty = Dirty()
    route(Row(action, "public", table, dict(values)), dirty, Places())
    return dirty


@pytest.mark.parametrize(
    ("table", "action", "values", "expected"), EVERY, ids=[f"{table}-{action}" for table, action, *_ in EVERY]
)
def test_each_change_makes_these_keys_dirty_and_no_others(
    table: str, action: Action, values: Told, expected: Dirty
) -> None:
    assert dirtied(table, action, values) == expected


def test_every_followed_table_and_action_stands_above() -> None:
    assert {(table, action) for table, action, *_ in EVERY} == {(t, a) for t in FOLLOWED for a in ACTIONS}


@pytest.mark.parametrize(("table", "values"), [(table, values) for table, _, values, _ in EVERY])
def test_the_routes_ask_for_followed_columns_only(table: str, values: Told) -> None:
    assert values.keys() <= FOLLOWED[table]


@pytest.mark.parametrize("missing", sorted(CLIENT))
def test_a_value_that_was_too_long_to_send_counts_as_changed(missing: str) -> None:
    told = {"id": "c1", **{name: text for name, text in CLIENT.items() if name != missing}}
    assert dirtied("clients", "update", told).clients == {"c1": ""}


def test_a_client_that_changes_there_and_back_counts_as_changed() -> None:
    dirty, later = Dirty(), Dirty()
    for name in ("A", "B"):
        route(Row("update", "public", "clients", {"id": "c1", **CLIENT, "name": name}), dirty, Places())
    assert dirty.clients == {"c1": ""}
    route(Row("update", "public", "clients", {"id": "c1", **CLIENT, "name": "A"}), later, Places())
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


@pytest.mark.parametrize("held", [{"gone": {"n1"}}, {"touched": {"n1"}}])
def test_ids_without_a_hotel_become_work_on_every_hotel(held: dict[str, Any]) -> None:
    dirty = Dirty(**held)
    dirty.collapse()
    assert dirty == Dirty(scopes={Scope("booking", None)})


def test_clients_too_many_to_hold_become_one_look_at_all_and_no_more_are_held() -> None:
    dirty = Dirty(clients={"c1": "d"})
    dirty.collapse()
    dirty.add_client("c2", "e")
    assert dirty == Dirty(scopes={ALL_CLIENTS})
