"""Plans as a stay is sold under them."""

from collections.abc import Collection
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.queries import load

_TERMS = load("pms/plans.sql")["terms"].format(plans=load("pms/content.sql")["plan"])


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of one hotel. plan_type: per_room or per_person. When it is sold, prices say."""

    plan_key: str
    global_id: int | None
    hotel_id: int | None
    name: str | None
    plan_type: str


async def plans(conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None) -> dict[str, Plan]:
    """Those of the plans that the hotel has, by key; None: every one."""
    wanted = {"hotels": [hotel_id], "keys": None if plan_keys is None else list(plan_keys)}
    async with conn.cursor(row_factory=class_row(Plan)) as cursor:
        await cursor.execute(_TERMS, wanted)
        return {plan.plan_key: plan async for plan in cursor}
