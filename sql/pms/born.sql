Bookings that are being written, which nobody else can know of yet.

-- name: reservation
-- Of a key of `fresh` in bookings.sql: it has all of its nights in the one reservation that it is being made with.
select r.id, r.type, r.agent, r.ota_reservation_id as external_id, r.reservation_client_id, r.check_in_time,
    r.check_out_time, r.payment_timing, r.comment, r.status, r.check_in, r.check_out, r.number_of_people,
    array[r.id] as parts
from reservations r
where r.hotel_id = wanted.hotel_id and r.id = wanted.id::uuid
