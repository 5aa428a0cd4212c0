Rooms held until they are booked or the hold expires.

-- name: add
insert into booking_engine.hold (reservation_id, hotel_id, source, expires_at, digest, rooms)
values (%(id)s, %(hotel)s, %(source)s, %(expires_at)s, %(digest)s, %(rooms)s)

-- name: alone
-- Whoever counts a client's holds before he adds one lets no other do so meanwhile.
select pg_advisory_xact_lock(hashtextextended(%(source)s, 53))

-- name: held
-- Rooms, and seconds until the next ones are given back.
select coalesce(sum(rooms), 0)::int, coalesce(ceil(extract(epoch from min(expires_at) - clock_timestamp())), 0)::int
from booking_engine.hold
where source = %(source)s and expires_at > clock_timestamp()

-- name: take
-- A client's hold that has not expired, kept from the sweeper until the transaction ends.
select hotel_id, digest from booking_engine.hold
where reservation_id = %(id)s and source = %(source)s and expires_at > clock_timestamp()
for update

-- name: take_expired
-- One that nobody else is at.
select reservation_id, hotel_id, digest from booking_engine.hold
where expires_at <= clock_timestamp() and reservation_id <> all(%(passed)s::uuid[])
order by expires_at
limit 1
for update skip locked

-- name: remove
delete from booking_engine.hold where reservation_id = %(id)s
