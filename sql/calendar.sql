The calendar that engines read: availability as the documents have it, and since when that may be old.

-- name: freshness
-- Durable work leaves documents behind the checkpoint, so that nobody knows as of when they are; but midnight's only
-- adds a night far ahead, and giving newer versions changes nothing that they say. pending: the hotels that it
-- concerns, null among them for all.
select c.committed_at, clock_timestamp() as now,
    array(select distinct w.hotel_id from booking_engine.dirty_scope w where w.kind not in ('horizon', 'client', 'versions')) as pending
from (select %(slot)s::text as slot) s
left join booking_engine.checkpoint c on c.slot = s.slot

-- name: look
-- How fresh it is, and the versions of the wanted hotels' room types in the same snapshot.
select f.committed_at, f.now, f.pending, h.id, v.room_types, v.versions
from (
    {freshness}
) f
cross join unnest(%(hotels)s::int[]) as h (id)
cross join lateral (
    select coalesce(array_agg(d.id::int order by d.id), '{{}}') as room_types,
        coalesce(array_agg(d.version order by d.id), '{{}}') as versions
    from booking_engine.document d
    where d.kind = 'availability' and d.hotel_id = h.id and d.body is not null
) v

-- name: nights
-- A row per room type of the hotel, or for the one that is asked for. days: ordinals, 1 is 0001-01-01.
select d.id::int as room_type_id, d.version, nights.days, nights.sellable, nights.occupied
from booking_engine.document d
cross join lateral (
    select coalesce(array_agg(a.date - date '0001-01-01' + 1 order by a.date), '{}') as days,
        coalesce(array_agg(a.sellable order by a.date), '{}') as sellable,
        coalesce(array_agg(a.occupied order by a.date), '{}') as occupied
    from booking_engine.availability a
    where a.hotel_id = d.hotel_id and a.room_type_id = d.id::int
        and a.date >= %(first)s::date and a.date < %(until)s::date
) nights
where d.kind = 'availability' and d.hotel_id = %(hotel)s and d.body is not null
    and (%(room_type)s::int is null or d.id = %(room_type)s::text)
order by d.id::int
