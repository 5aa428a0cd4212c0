"""Which nights belong to the bookings that came to us, by the PMS's own log of every change.

A reservation is a booking's home that it was made with, or that carries what a split copies: our channel name and
the booking's own id. A night belongs to the first booking in whose home it has stood. Who looks only now and then
cannot know of a home in which a night stood for a moment: of nights that staff have made, what is known is then as
good, if one of their homes was that booking's, or they were written in the place of one of its nights. Nor need he
know of one that has since become something else, as staff do who give a copy another type.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from tests.support.truth.rows import Rows

AGENT = "roomwire"
"""The channel name of bookings made through Roomwire's API."""
_API_USER = 2
"""Whom the API writes as: nobody has to see what it made to know whose that is."""


@dataclass(frozen=True, slots=True)
class Link:
    """A booking that came to us; booking: its id, which is that of the reservation that it was made with."""

    hotel: int
    booking: Any
    external_id: str


class Ours:
    """The bookings that came to us.

    Attributes:
        links: all of them.
    """

    def __init__(self, rows: Rows) -> None:
        there = rows.read("SELECT to_regclass('booking_engine.booking_night') IS NOT NULL AS it_is")[0]["it_is"]
        found = rows.read("SELECT * FROM booking_engine.booking_link ORDER BY created_at") if there else []
        self.links = [Link(row["hotel_id"], row["reservation_id"], row["external_id"]) for row in found]
        self._made = {(link.hotel, str(link.booking)): link for link in self.links}
        self._named: dict[tuple[int, str], Link] = {}
        for link in self.links:
            self._named.setdefault((link.hotel, link.external_id), link)
        self._nights: dict[Link, list[DictRow]] = defaultdict(list)
        if self.links:
            self._share_out(rows)

    def home(self, row: DictRow) -> Link | None:
        """The booking whose home a reservation is."""
        made = self._made.get((row["hotel_id"], str(row["id"])))
        copied = row["type"] == "web" and row["agent"] == AGENT
        return made or (self._named.get((row["hotel_id"], row["ota_reservation_id"])) if copied else None)

    def nights(self, link: Link) -> list[DictRow]:
        """The nights of a booking, as they stand."""
        return self._nights[link]

    def _share_out(self, rows: Rows) -> None:
        homes = self._homes(rows)
        passed: dict[str, list[Link]] = defaultdict(list)
        replaced: dict[tuple[str, datetime], list[Link]] = defaultdict(list)
        ours = set[str]()
        now = {(row["hotel_id"], row["id"]) for row in rows.read("SELECT * FROM reservations") if self.home(row)}
        for row in rows.read(
            "SELECT record_id, action, log_time, coalesce(changes -> 'new', changes) AS new FROM logs_reservation"
            " WHERE table_name LIKE 'reservation_details%' ORDER BY id"
        ):
            night, at = row["record_id"], (row["new"]["reservation_id"], row["log_time"])
            home = homes.get((row["new"]["hotel_id"], row["new"]["reservation_id"]))
            if row["action"] == "DELETE":
                replaced[at] += passed[night]
            elif home is not None:
                passed[night].append(home)
            if row["action"] == "INSERT":
                passed[night] += replaced[at]
                ours |= {night} if row["new"]["created_by"] == _API_USER else set()
        known = {
            row["night_id"]: row["booking_id"] for row in rows.read("SELECT * FROM booking_engine.booking_night")
        }
        for night in rows.nights:
            been = passed[str(night["id"])]
            stands = (night["hotel_id"], night["reservation_id"]) in now
            one = been[0] if been else None
            if str(night["id"]) not in ours:
                said = next((link for link in been if link.booking == known.get(night["id"])), None)
                one = said or (one if stands else None)
            if one is not None:
                self._nights[one].append(night)

    def _homes(self, rows: Rows) -> dict[tuple[int, str], Link]:
        """Every reservation that ever was a booking's home, by hotel and id."""
        homes = dict(self._made)
        for row in rows.read(
            "SELECT coalesce(changes -> 'new', changes) AS new FROM logs_reservation"
            " WHERE table_name ~ '^reservations_' AND action <> 'DELETE' ORDER BY id"
        ):
            if (home := self.home(row["new"])) is not None:
                homes.setdefault((row["new"]["hotel_id"], row["new"]["id"]), home)
        return homes
