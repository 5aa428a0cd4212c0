Conflicts: room-nights that a booking of ours shares with another stay. Nothing in the PMS prevents them.

-- name: known
-- Of our own tables alone: the bookings that shared a room on one of these nights, those of ours among these
-- reservations (another status alone may end a conflict, or begin one), and, without an id, the hotels of these nights
-- that have any. Where no booking is ours it costs next to nothing.
with nights as materialized (
    select distinct hotel_id, date from unnest(%(night_hotels)s::int[], %(dates)s::date[]) as n (hotel_id, date)
)
select known.hotel_id, known.id
from nights n
cross join lateral (
    select c.hotel_id, c.reservation_id::text as id from booking_engine.conflict c
    where c.hotel_id = n.hotel_id and c.date = n.date
    offset 0
) known
where exists (select from booking_engine.conflict)
union
select ours.hotel_id, ours.id
from unnest(%(hotels)s::int[], %(ids)s::text[]) as w (hotel_id, id)
cross join lateral (
    select b.hotel_id, b.id from booking_engine.document b
    where b.kind = 'booking' and b.own and b.hotel_id = w.hotel_id and b.id = w.id
    limit 1
) ours
where exists (select from booking_engine.document b where b.kind = 'booking' and b.own)
union
select h.hotel_id, null
from (select distinct hotel_id from nights) h
cross join lateral (
    select from booking_engine.document b where b.kind = 'booking' and b.own and b.hotel_id = h.hotel_id limit 1
) one

-- name: shared
-- The reservations that share a room on one of these nights.
select distinct n.hotel_id, room.id::text
from (
    select distinct hotel_id, date from unnest(%(hotels)s::int[], %(others)s::date[]) as n (hotel_id, date)
) n
cross join lateral (
    select unnest(array_agg(d.reservation_id)) as id
    from reservation_details d
    where d.hotel_id = n.hotel_id and d.date = n.date and d.cancelled is null and d.room_id is not null
    group by d.room_id
    having count(*) > 1
) room

-- name: ours
-- The bookings of ours that have nights in these reservations.
select ours.hotel_id, ours.id::text
from unnest(%(hotels)s::int[], %(others)s::uuid[]) as w (hotel_id, id)
cross join lateral (
    select n.hotel_id, n.booking_id as id from booking_engine.booking_night n
    where n.hotel_id = w.hotel_id and n.reservation_id = w.id
    union all
    select r.hotel_id, r.id from reservations r
    where r.hotel_id = w.hotel_id and r.id = w.id and r.type = 'web' and r.agent = %(agent)s
) ours

-- name: renew
-- Brings what is noted of these bookings up to the PMS; returns the room-nights that differ, without others where
-- they are the booking's own again. What is cancelled gives its rooms up, whatever is still charged.
with wanted as (
    select hotel_id, id from unnest(%(hotels)s::int[], %(ids)s::uuid[]) as w (hotel_id, id)
),
stays as (
    select w.hotel_id, w.id, d.reservation_id, d.room_id, d.date
    from wanted w
    cross join lateral (
        select n.night_id from booking_engine.booking_night n where n.hotel_id = w.hotel_id and n.booking_id = w.id
        offset 0
    ) n
    cross join lateral (
        select found.reservation_id, found.room_id, found.date, found.cancelled from reservation_details found
        where found.hotel_id = w.hotel_id and found.id = n.night_id
        limit 1
    ) d
    cross join lateral (
        select r.status, r.type from reservations r where r.hotel_id = w.hotel_id and r.id = d.reservation_id limit 1
    ) r
    where d.cancelled is null and d.room_id is not null and r.status not in ('cancelled', 'block')
        and r.type <> 'employee'
    union all
    select w.hotel_id, w.id, w.id, d.room_id, d.date
    from wanted w
    cross join lateral (
        select r.id from reservations r
        where r.hotel_id = w.hotel_id and r.id = w.id and r.type = 'web' and r.agent = %(agent)s
            and r.status <> 'cancelled'
        limit 1
    ) r
    cross join lateral (
        select d.room_id, d.date from reservation_details d
        where d.hotel_id = w.hotel_id and d.reservation_id = w.id and d.cancelled is null and d.room_id is not null
        offset 0
    ) d
    where not exists (
        select from booking_engine.booking_night n where n.hotel_id = w.hotel_id and n.reservation_id = w.id)
),
fresh as (
    select s.hotel_id, s.id as reservation_id, s.room_id, s.date,
        array_agg(distinct o.reservation_id order by o.reservation_id) as others
    from stays s
    cross join lateral (
        select o.reservation_id
        from reservation_details o
        where o.hotel_id = s.hotel_id and o.room_id = s.room_id and o.date = s.date and o.cancelled is null
            and o.reservation_id <> s.reservation_id
        offset 0
    ) o
    group by s.hotel_id, s.id, s.room_id, s.date
),
noted as (
    insert into booking_engine.conflict as c (hotel_id, reservation_id, room_id, date, others)
    select hotel_id, reservation_id, room_id, date, others from fresh
    on conflict (hotel_id, reservation_id, room_id, date) do update set others = excluded.others
        where c.others <> excluded.others
    returning c.hotel_id, c.reservation_id, c.room_id, c.date, c.others
),
ended as (
    delete from booking_engine.conflict c using wanted w
    where c.hotel_id = w.hotel_id and c.reservation_id = w.id and not exists (
        select from fresh f where f.reservation_id = c.reservation_id and f.room_id = c.room_id and f.date = c.date)
    returning c.hotel_id, c.reservation_id, c.room_id, c.date
)
select hotel_id, reservation_id, room_id, date, others from noted
union all
select hotel_id, reservation_id, room_id, date, '{}' from ended
order by hotel_id, reservation_id, date, room_id

-- name: list
-- Nights that are not over yet, with who else has the room.
select c.hotel_id, c.reservation_id, coalesce(l.external_id, r.ota_reservation_id), c.date, m.room_number, c.found_at,
    array(
        select concat_ws(' ', o.id::text, o.status, o.agent)
        from unnest(c.others) as other (id)
        join reservations o on o.hotel_id = c.hotel_id and o.id = other.id
        order by o.id)
from booking_engine.conflict c
left join reservations r on r.hotel_id = c.hotel_id and r.id = c.reservation_id
left join booking_engine.booking_link l on l.hotel_id = c.hotel_id and l.reservation_id = c.reservation_id
left join rooms m on m.hotel_id = c.hotel_id and m.id = c.room_id
where c.date >= %(today)s::date - 1
order by c.date, c.hotel_id, c.room_id, c.reservation_id
