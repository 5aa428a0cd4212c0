What is sellable and occupied per room type and night. A night is occupied where a room has a detail that is not
cancelled, whatever the reservation's status; distinct rooms count, because nothing in the PMS prevents two.

-- name: fresh
select wanted.hotel_id, t.id as room_type_id, wanted.date,
    coalesce(stock.rooms, 0)::int as sellable, coalesce(taken.rooms, 0)::int as occupied
from (
    select distinct hotel_id, date
    from unnest(%(hotels)s::int[], %(dates)s::date[]) as night (hotel_id, date)
    where date between %(today)s::date - 1 and %(today)s::date + 730
) wanted
join room_types t on t.hotel_id = wanted.hotel_id
left join (
    select r.hotel_id, r.room_type_id, count(*) as rooms
    from rooms r
    where r.hotel_id = any(%(hotels)s::int[]) and r.for_sale and not r.is_staff_room
    group by r.hotel_id, r.room_type_id
) stock on stock.hotel_id = t.hotel_id and stock.room_type_id = t.id
left join (
    select d.hotel_id, d.date, r.room_type_id, count(distinct d.room_id) as rooms
    from unnest(%(hotels)s::int[], %(dates)s::date[]) as night (hotel_id, date)
    join reservation_details d on d.hotel_id = night.hotel_id and d.date = night.date
    join rooms r on r.hotel_id = d.hotel_id and r.id = d.room_id
    where d.cancelled is null and r.for_sale and not r.is_staff_room
    group by d.hotel_id, d.date, r.room_type_id
) taken on taken.hotel_id = t.hotel_id and taken.room_type_id = t.id and taken.date = wanted.date
