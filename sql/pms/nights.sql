What is sellable and occupied per room type and night. A night is occupied where a room has a detail that is not
cancelled, whatever the reservation's status; distinct rooms count, because nothing in the PMS prevents two.

-- name: fresh
-- Each night is counted by itself: a join with all of them at once takes the square of their number.
select wanted.hotel_id, counted.room_type_id, wanted.date, counted.sellable, counted.occupied
from (
    select distinct hotel_id, date
    from unnest(%(hotels)s::int[], %(dates)s::date[]) as night (hotel_id, date)
    where date between %(today)s::date - 1 and %(today)s::date + 730
) wanted
cross join lateral (
    select t.id as room_type_id, count(distinct r.id)::int as sellable, count(distinct d.room_id)::int as occupied
    from room_types t
    left join rooms r
        on r.hotel_id = t.hotel_id and r.room_type_id = t.id and r.for_sale and not r.is_staff_room
    left join reservation_details d
        on d.hotel_id = r.hotel_id and d.room_id = r.id and d.date = wanted.date and d.cancelled is null
    where t.hotel_id = wanted.hotel_id
    group by t.id
) counted
