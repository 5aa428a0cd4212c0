Reading everything there is, page by page.

-- name: start
-- The position to follow from afterwards, and the day before which bookings that ended are left out.
select greatest(f.floor, (select max(position) from booking_engine.event)), {window}
from booking_engine.feed f

-- name: page
-- Living documents of one kind from a key on, by hotel.
select d.hotel_id, d.id, d.version, d.born, d.body::text, d.committed_at, nights.days, nights.sellable, nights.occupied
from (
    select hotel_id
    from unnest(coalesce(%(hotels)s::int[], array(
        select hotel_id from booking_engine.document where kind = 'hotel' and version > 0))) as hotel_id
    where hotel_id >= %(hotel)s
    order by hotel_id
) hotels
cross join lateral (
    select *
    from booking_engine.document d
    where d.kind = %(kind)s and d.hotel_id = hotels.hotel_id
        and d.id >= case when d.hotel_id = %(hotel)s then %(id)s else '' end
        and d.version > 0 and d.body is not null
        and (d.kind <> 'booking' or (d.ends >= %(start)s and (d.own or not %(own)s)))
    order by d.id
    limit %(limit)s
) d
left join lateral (
    select array_agg(a.date - date '0001-01-01' + 1 order by a.date) as days,
        array_agg(a.sellable order by a.date) as sellable,
        array_agg(a.occupied order by a.date) as occupied
    from booking_engine.availability a
    where d.kind = 'availability' and a.hotel_id = d.hotel_id
        and a.room_type_id = case when d.kind = 'availability' then d.id::int end
) nights on d.kind = 'availability'
order by d.hotel_id, d.id
limit %(limit)s
