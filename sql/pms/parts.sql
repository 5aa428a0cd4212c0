The nights of bookings that came to us, followed from reservation to reservation.

-- name: of
-- The reservations of a booking as they are now, with what staff have just done.
select r.id, r.whole
from (
    select l.hotel_id, l.reservation_id, l.external_id
    from booking_engine.booking_link l
    where l.hotel_id = %(hotel)s and l.reservation_id = %(id)s
) link
cross join lateral (
    select coalesce(array_agg(held.id), '{{}}') as nights
    from (
        {held}
    ) held
) ours
cross join lateral (
    {parts}
) r
order by r.id

-- name: renew
-- Notes where the nights of these bookings stand now, and those that have come to their reservations and are no
-- booking's yet. A night that is one's stays so until it is deleted. Staff delete nights to write them anew: where a
-- booking has none left, those are its own that have come to where its nights stood since these were last seen, and are
-- of the date or the room of a night that its document, which is written after this, has still: others are other guests'.
with stood as (
    select n.hotel_id, w.id as booking_id, n.night_id, n.reservation_id as was, d.reservation_id as now
    from unnest(%(hotels)s::int[], %(ids)s::uuid[]) as w (hotel_id, id)
    cross join lateral (
        select n.hotel_id, n.night_id, n.reservation_id
        from booking_engine.booking_night n
        where n.hotel_id = w.hotel_id and n.booking_id = w.id
        offset 0
    ) n
    left join lateral (
        select found.reservation_id from reservation_details found
        where found.hotel_id = n.hotel_id and found.id = n.night_id
        limit 1
    ) d on true
),
dropped as (
    delete from booking_engine.booking_night n using stood s
    where s.now is null and n.hotel_id = s.hotel_id and n.night_id = s.night_id
),
moved as (
    update booking_engine.booking_night n set reservation_id = s.now
    from stood s
    where s.now <> s.was and n.hotel_id = s.hotel_id and n.night_id = s.night_id
)
insert into booking_engine.booking_night (hotel_id, night_id, booking_id, reservation_id)
select home.hotel_id, d.id, home.booking_id, home.id
from (
    select h.hotel_id, h.id, h.booking_id, 1 as place, null::date[] as dates, null::int[] as rooms
    from unnest(%(home_hotels)s::int[], %(homes)s::uuid[], %(bookings)s::uuid[]) as h (hotel_id, id, booking_id)
    union all
    select gone.hotel_id, gone.was, gone.booking_id, 2, lost.dates, lost.rooms
    from (
        select s.hotel_id, s.was, s.booking_id
        from stood s
        group by s.hotel_id, s.was, s.booking_id
        having not exists (
            select from stood o where o.hotel_id = s.hotel_id and o.booking_id = s.booking_id and o.now is not null)
    ) gone
    cross join lateral (
        select array_agg((night ->> 'date')::date) as dates, array_agg((night ->> 'room_id')::int) as rooms
        from (
            select found.body from booking_engine.document found
            where found.kind = 'booking' and found.hotel_id = gone.hotel_id and found.id = gone.booking_id::text
            limit 1
        ) document
        cross join jsonb_array_elements(document.body -> 'nights') as night
    ) lost
) home
cross join lateral (
    select found.id from reservation_details found
    where found.hotel_id = home.hotel_id and found.reservation_id = home.id
        and (home.place = 1 or (found.date = any(home.dates) or found.room_id = any(home.rooms)) and (
            found.id = any(%(new)s::uuid[]) or not exists (
                select from booking_engine.reservation_seen s
                where s.hotel_id = home.hotel_id and s.reservation_id = home.id and found.id = any(s.refs))))
    offset 0
) d
left join lateral (
    select n.night_id from booking_engine.booking_night n
    where n.hotel_id = home.hotel_id and n.night_id = d.id
    limit 1
) known on true
where known.night_id is null
order by home.hotel_id, d.id, home.place
on conflict do nothing

-- name: note
-- Those that a booking is being written with: nobody else has seen them.
insert into booking_engine.booking_night (hotel_id, night_id, booking_id, reservation_id)
select %(hotel)s, d.id, l.reservation_id, l.reservation_id
from unnest(%(ids)s::uuid[]) as w (id)
cross join lateral (
    select l.reservation_id from booking_engine.booking_link l
    where l.hotel_id = %(hotel)s::int and l.reservation_id = w.id
    limit 1
) l
cross join lateral (
    select found.id from reservation_details found
    where found.hotel_id = %(hotel)s::int and found.reservation_id = l.reservation_id
    offset 0
) d
on conflict do nothing
