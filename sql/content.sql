Content as it stands in the documents.

-- name: hotel_ids
select hotel_id from booking_engine.document where kind = 'hotel' and id = '' and body is not null

-- name: hotels
select body
from booking_engine.document
where kind = 'hotel' and id = '' and body is not null
    and (%(ids)s::int[] is null or hotel_id = any(%(ids)s))
order by hotel_id

-- name: room_types
select body
from booking_engine.document
where kind = 'room_type' and hotel_id = %(hotel)s and body is not null
order by body->>'name', id

-- name: plans
-- A plan's last day belongs to it.
select body
from booking_engine.document
cross join (select (clock_timestamp() at time zone %(time_zone)s)::date as today) clock
where kind = 'plan' and hotel_id = %(hotel)s and body is not null
    and (body->>'active')::boolean
    and coalesce((body->>'available_from')::date <= today, true)
    and coalesce((body->>'available_until')::date >= today, true)
order by (body->>'display_order')::int, body->>'name', id
