Bookings that came to us, as their documents have them. A user of the engine is shown those of the client he is.

-- name: one
-- A link is found by its hotel and id: every hotel is probed, as only the id is known.
select l.hotel_id, l.external_id, d.version, d.body
from booking_engine.document h
cross join lateral (
    select l.hotel_id, l.reservation_id, l.external_id from booking_engine.booking_link l
    where l.hotel_id = h.hotel_id and l.reservation_id = %(id)s and l.source = %(source)s
    limit 1
) l
cross join lateral (
    select d.version, d.body from booking_engine.document d
    where d.kind = 'booking' and d.hotel_id = l.hotel_id and d.id = l.reservation_id::text and d.body is not null
) d
where h.kind = 'hotel' and (%(hotels)s::int[] is null or h.hotel_id = any(%(hotels)s::int[]))
    and (%(user)s::text is null or d.body -> 'guest' ->> 'client_id' = (
        select u.client_id::text from booking_engine.engine_user u
        where u.source = %(source)s and u.user_id = %(user)s))

-- name: changed
-- The next ones after a position, in the order of their versions. Those that are gone are in it, too.
select l.reservation_id, l.hotel_id, l.external_id, d.version, d.body
from booking_engine.booking_link l
cross join lateral (
    select d.version, d.body from booking_engine.document d
    where d.kind = 'booking' and d.hotel_id = l.hotel_id and d.id = l.reservation_id::text and d.version > 0
    limit 1
) d
where l.source = %(source)s and (%(hotels)s::int[] is null or l.hotel_id = any(%(hotels)s::int[]))
    and (l.version, l.reservation_id) > (%(version)s::bigint, %(id)s::uuid)
    and (%(user)s::text is null or d.body -> 'guest' ->> 'client_id' = (
        select u.client_id::text from booking_engine.engine_user u
        where u.source = %(source)s and u.user_id = %(user)s))
order by l.version, l.reservation_id
limit %(limit)s
