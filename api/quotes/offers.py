"""What a stay costs and whether its rooms can be had: the same for quotes and bookings."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.availability.stays import fit, net_revenue
from api.freshness import Fresh, stamp
from api.prices.tariffs import Tariff
from api.quotes.tokens import Stay
from api.request.problems import Fault, Problem
from sql.pms.plans import Plan
from sql.pms.prices import Night
from sql.pms.stays import Stock


@dataclass(frozen=True, slots=True)
class Priced:
    """A stay with its plans, and the price of each night under each of them: plan → nights by date."""

    stay: Stay
    nights: Mapping[str, Sequence[Night]]
    plans: Mapping[str, Plan]

    @property
    def total(self) -> int:
        """Yen with tax."""
        return sum(
            night.revenue(room.number_of_people) for room in self.stay.rooms for night in self.nights[room.plan_key]
        )

    @property
    def net_total(self) -> int:
        """Yen without tax."""
        return sum(
            net_revenue(night, room.number_of_people)
            for room in self.stay.rooms
            for night in self.nights[room.plan_key]
        )

    @property
    def cancellation_fee(self) -> int:
        """What of the total is due even where the stay is cancelled."""
        return sum(
            night.cancel_fee(room.number_of_people)
            for room in self.stay.rooms
            for night in self.nights[room.plan_key]
        )


def price_stay(tariff: Tariff, stay: Stay) -> Priced:
    """The price of a stay by its hotel's tariff, which covers its nights.

    Raises:
        Problem: `unknown_plan` or `plan_not_on_sale`.
    """
    keys = {room.plan_key for room in stay.rooms}
    wanted = [stay.check_in + timedelta(days=n) for n in range((stay.check_out - stay.check_in).days)]
    found: dict[str, dict[date, Night]] = defaultdict(dict)
    for night in tariff.prices.nights(keys, stay.check_in, stay.check_out):
        if night.on_sale:
            found[night.plan_key][night.date] = night
    closed = {key: [day for day in wanted if day not in found[key]] for key in keys}
    if any(closed.values()):
        _refuse("unknown_plan", stay, dict.fromkeys(keys - tariff.plans.keys(), "The hotel has no such plan."))
        _refuse(
            "plan_not_on_sale",
            stay,
            {key: f"It is not on sale on {_days(days)}." for key, days in closed.items() if days},
        )
    return Priced(stay, {key: [found[key][day] for day in wanted] for key in keys}, tariff.plans)


def _refuse(code: str, stay: Stay, details: Mapping[str, str]) -> None:
    """Raise a problem that points to every room with one of these plans; nothing without any."""
    rooms = [(n, details[room.plan_key]) for n, room in enumerate(stay.rooms) if room.plan_key in details]
    if rooms:
        raise Problem(code, faults=[Fault(f"/rooms/{n}/plan_key", detail) for n, detail in rooms])


def _days(days: Sequence[date]) -> str:
    named = ", ".join(map(str, days[:5]))
    return f"{named} and {len(days) - 5} nights more" if len(days) > 5 else named


def check_rooms(stay: Stay, stocks: Sequence[Stock], fresh: Fresh) -> None:
    """Make sure that the rooms of a stay can be had. fresh: when the stocks were read.

    Raises:
        Problem: `unknown_room_type`, `too_many_people` or `sold_out`.
    """
    types = {one.room_type_id: one for one in stocks}
    parties: dict[int, list[int]] = defaultdict(list)
    for n, room in enumerate(stay.rooms):
        known = types.get(room.room_type_id)
        if known is None:
            fault = Fault(f"/rooms/{n}/room_type_id", "The hotel has no such room type.")
            raise Problem("unknown_room_type", faults=[fault])
        if room.number_of_people > (known.capacity or 0):
            fault = Fault(f"/rooms/{n}/number_of_people", f"Its rooms take {known.capacity or 0} people at most.")
            raise Problem("too_many_people", faults=[fault])
        parties[room.room_type_id].append(room.number_of_people)
    gone = [key for key, sizes in parties.items() if not fit(sorted(sizes, reverse=True), types[key].free)]
    if gone:
        raise Problem("sold_out", room_type_ids=gone, **stamp(fresh))
