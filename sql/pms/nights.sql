What is sellable and occupied per room type and night. A night is occupied where a room has a detail that is not
cancelled, whatever the reservation's status; distinct rooms count, because nothing in the PMS prevents two.

-- name: fresh
-- A hotel at a time: its rooms are counted once, and all nights in the wake of one look at its stays. What is there
-- and what is taken are added up, not joined: a join of all nights with all stays can take the square of their number.
-- The hotel in braces is that of `wanted`, or the only one, whose partitions alone are then opened.
select wanted.hotel_id, counted.room_type_id, counted.date, counted.sellable, counted.occupied
from (
    select hotel_id, array_agg(distinct date) as dates
    from unnest(%(hotels)s::int[], %(dates)s::date[]) as night (hotel_id, date)
    where date between %(today)s::date - 1 and %(today)s::date + 730
    group by hotel_id
) wanted
cross join lateral (
    select found.room_type_id, found.date, sum(found.sellable)::int as sellable, sum(found.occupied)::int as occupied
    from (
        select house.room_type_id, night.date, house.sellable, 0 as occupied
        from (
            select t.id as room_type_id, count(r.id) as sellable
            from room_types t
            left join rooms r
                on r.hotel_id = t.hotel_id and r.room_type_id = t.id and r.for_sale and not r.is_staff_room
            where t.hotel_id = {hotel}
            group by t.id
        ) house
        cross join unnest(wanted.dates) as night (date)
        union all
        select r.room_type_id, taken.date, 0, 1
        from (
            select distinct d.date, d.room_id
            from reservation_details d
            where d.hotel_id = {hotel} and d.date = any(wanted.dates) and d.cancelled is null
        ) taken
        join rooms r on r.hotel_id = {hotel} and r.id = taken.room_id and r.for_sale and not r.is_staff_room
    ) found
    group by found.room_type_id, found.date
) counted
