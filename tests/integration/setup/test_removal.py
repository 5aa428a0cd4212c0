"""What docs/OPERATING.md prints leaves nothing of Roomwire in the PMS's database."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.daemon import Roomwire
from tests.support.servers.databases import Database

PAGE = Path(__file__).parents[3] / "docs" / "OPERATING.md"
LEFT = """
    select 'slot' from pg_replication_slots where slot_name = %(slot)s
    union all select 'publication' from pg_publication
    union all select nspname from pg_namespace where nspname = 'booking_engine'
    union all select rolname from pg_roles where rolname = any(%(roles)s)
    union all select 'privileges' from pg_default_acl
"""


async def test_removing_it_as_printed_leaves_nothing(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    own = {"slot": roomwire.slot, "roles": [roomwire.role, roomwire.writer]}
    found = re.search(r"    (select pg_drop_replication_slot.*?)\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    printed = found[1].replace("'roomwire'", f"'{roomwire.slot}'")
    printed = printed.replace("roomwire_capture", roomwire.role).replace("roomwire_writer", roomwire.writer)
    with pms.connect() as conn:
        assert conn.execute(LEFT, own).fetchall()
        for statement in printed.split(";"):
            conn.execute(statement.encode())
        assert conn.execute(LEFT, own).fetchall() == []
