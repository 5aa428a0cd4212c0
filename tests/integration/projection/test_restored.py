"""After a restore every document gets a newer version, as it is, and engines drop what is gone."""

from __future__ import annotations

from typing import Any

from outbox import restored
from sql import checkpoint, versions
from tests.integration.projection.house import House

SLOT = "roomwire"
WORK = """
    select (extract(epoch from created_at) * 1000000)::bigint
    from booking_engine.dirty_scope where kind = 'versions'
"""
OLD = "select count(*) from booking_engine.document where version between 1 and %(version)s"
OLD_NIGHTS = "select count(*) from booking_engine.availability where version <= %(version)s"
APART = """
    select count(*) from booking_engine.availability a
    join booking_engine.document d on d.kind = 'availability' and d.hotel_id = a.hotel_id
    where d.id = a.room_type_id::text and a.version > d.version
"""
BEHIND = """
    select count(*) from booking_engine.document d
    where d.version > 0 and not exists (
        select from booking_engine.behind b
        where (b.kind, b.hotel_id, b.id, b.version) = (d.kind, d.hotel_id, d.id, d.version) and b.acked < b.version)
"""
BODIES = """
    select jsonb_object_agg(concat_ws('/', kind, hotel_id, id), coalesce(body, 'null'))
    from booking_engine.document where version > 0
"""
PLACES = """
    select jsonb_agg(kind order by place) from (select distinct kind, place from booking_engine.behind) b
    where place <= %(version)s + 5
"""
NEWER = "select jsonb_object_agg(kind, id) from booking_engine.behind where place > %(version)s + 5"
HEAD = "select greatest(floor, (select max(position) from booking_engine.event)) from booking_engine.feed"


async def note(house: House) -> int:
    """Note that the database was put back; returns the version that all have to exceed."""
    await house.desk.execute(
        "insert into booking_engine.endpoint (name, url, secret) values ('engine', 'http://engine.example', 'x')"
    )
    async with house.conn.transaction():
        await checkpoint.start(house.conn, SLOT, system_id="1", timeline=1, end_lsn=0, today=house.frame.today)
        await restored.note(house.conn, SLOT, "a test")
    return int(await house.ask(WORK))


async def all_pages(house: House) -> list[Any]:
    kinds = []
    while work := await house.page():
        kinds.append(work.kind)
    return kinds


async def test_everything_goes_out_in_a_newer_version_as_it_is(house: House) -> None:
    gone = await house.stay((await house.rooms())[:1], ahead=3)
    await house.follow()
    await house.write("delete from reservations where id = %(id)s", id=gone.id)
    await house.follow()
    before, head = await house.ask(BODIES), await house.ask(HEAD)
    newest = await note(house)
    kinds = await all_pages(house)
    assert set(kinds[kinds.index("versions") :]) == {"versions"}
    assert set(kinds[: kinds.index("versions")]) == {"content", "availability", "booking"}, "compared before"
    assert await house.ask(OLD, version=newest) == await house.ask(OLD_NIGHTS, version=newest) == 0
    assert await house.ask(APART) == await house.ask(BEHIND) == 0
    assert await house.ask(BODIES) == before
    assert await house.ask(PLACES, version=newest) == list(versions.KINDS), "as in a first sync"
    assert await house.wrong() == []
    assert await house.ask("select count(*) from booking_engine.replay where kinds = '{}'") == 1
    assert await house.ask("select floor from booking_engine.feed") > head
    stored = await checkpoint.read(house.conn, SLOT)
    assert stored is not None
    assert (stored.restored, stored.copied) == ("a test", False)


async def test_what_was_written_since_keeps_its_version(house: House) -> None:
    noted = await note(house)
    stay = await house.stay((await house.rooms())[:1])
    await house.project(*await house.stream())
    version = await house.version("booking", str(stay.id))
    assert version is not None
    assert version > noted
    await all_pages(house)
    assert await house.version("booking", str(stay.id)) == version
    assert await house.ask(BEHIND) == 0
    newer = await house.ask(NEWER, version=noted)
    assert (set(newer), newer["booking"]) == ({"availability", "booking"}, str(stay.id)), "sent before the rest"


async def test_a_page_goes_on_after_the_last_and_loses_none(house: House) -> None:
    seen, after = [], (0, "")
    async with house.conn.transaction():
        while page := await versions.page(house.conn, "booking", after, 2):
            seen += [(one.hotel_id, one.id) for one in page]
            after = seen[-1]
    assert (
        len(seen)
        == len(set(seen))
        == await house.ask("select count(*) from booking_engine.document where kind = 'booking'")
    )
