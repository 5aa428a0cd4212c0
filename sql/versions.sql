Newer versions for what engines may have in versions that a restored database does not know of.

-- name: page
-- Locks the next documents of a kind, in key order.
select hotel_id, id, version
from booking_engine.document
where kind = %(kind)s and (hotel_id, id) > (%(hotel)s, %(id)s)
order by hotel_id, id
limit %(size)s
for update

-- name: raise
-- Gives locked documents a new version, as a change would, and marks who is behind on it.
with wanted as (
    select old.*
    from unnest(%(hotels)s::int[], %(ids)s::text[]) as key (hotel_id, id)
    cross join lateral (
        select known.hotel_id, known.id, known.version from booking_engine.document known
        where known.kind = %(kind)s and known.hotel_id = key.hotel_id and known.id = key.id
        limit 1
    ) old
),
moved as (
    update booking_engine.document d
    set version = booking_engine.next_version(w.version)
    from wanted w
    where d.kind = %(kind)s and d.hotel_id = w.hotel_id and d.id = w.id
    returning d.kind, d.hotel_id, d.id, w.version as old_version, d.version, d.own, d.own as was_own
),
{marks}
select count(*) from moved

-- name: nights
-- Every night goes with the counter of its room type.
nights as (
    update booking_engine.availability a
    set version = m.version
    from moved m
    where a.hotel_id = m.hotel_id and a.room_type_id = m.id::int
)

-- name: floor
-- The version that all of one piece of work shall have reached: that of the time when it was put on the list.
select (extract(epoch from created_at) * 1000000)::bigint from booking_engine.dirty_scope where id = %(work)s

-- name: count
select count(*) from booking_engine.document

-- name: endpoints
select id from booking_engine.endpoint order by id

-- name: cut_feed
-- Whoever has read up to now may know what is gone, and begins anew.
update booking_engine.feed
set floor = booking_engine.next_version(greatest(floor, (select max(position) from booking_engine.event)))
