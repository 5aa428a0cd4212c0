What can be stayed in: rooms that one and the same party can have for every night of [check_in, check_out).

-- name: free
-- Of a room r: it is sold to guests and nobody has it on any night of the stay. Every door that offers or gives away a
-- room asks this.
r.for_sale and not r.is_staff_room
and not exists (
    select from reservation_details d
    where d.hotel_id = %(hotel)s and d.room_id = r.id and d.cancelled is null
        and d.date >= %(check_in)s::date and d.date < %(check_out)s::date)

-- name: room_types
-- A row per room type of the hotel. full: the nights on which each of its rooms is taken; none need be where no room
-- is free on all of them.
with stock as (
    select r.room_type_id, count(*)::int as sellable, max(r.capacity) as capacity
    from rooms r
    where r.hotel_id = %(hotel)s and r.for_sale and not r.is_staff_room
    group by r.room_type_id
),
free as (
    select r.room_type_id, array_agg(r.capacity order by r.capacity) as capacities
    from rooms r
    where r.hotel_id = %(hotel)s and {free}
    group by r.room_type_id
),
taken as (
    select r.room_type_id, d.date, count(distinct d.room_id) as rooms
    from reservation_details d
    join rooms r on r.hotel_id = %(hotel)s and r.id = d.room_id and r.for_sale and not r.is_staff_room
    where d.hotel_id = %(hotel)s and d.cancelled is null
        and d.date >= %(check_in)s::date and d.date < %(check_out)s::date
    group by r.room_type_id, d.date
),
full_nights as (
    select t.room_type_id, array_agg(t.date order by t.date) as nights
    from taken t
    join stock s using (room_type_id)
    where t.rooms >= s.sellable
    group by t.room_type_id
)
select t.id as room_type_id, t.name, coalesce(s.sellable, 0) as sellable, s.capacity,
    coalesce(f.capacities, '{{}}') as free, coalesce(n.nights, '{{}}') as "full"
from room_types t
left join stock s on s.room_type_id = t.id
left join free f on f.room_type_id = t.id
left join full_nights n on n.room_type_id = t.id
where t.hotel_id = %(hotel)s
order by t.id
