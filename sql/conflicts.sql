What is noted of conflicts.

-- name: report
-- In the transaction that notes them, under the lock of the bookings' documents: who else reports holds that, too.
-- In its end a booking is again what its last attempt has left.
update booking_engine.sync_status s
set status = case when now.contested then 'conflict' when s.undecided then 'pending' else 'synced' end
from (
    select w.hotel_id, w.id, exists (
        select from booking_engine.conflict c
        where c.hotel_id = w.hotel_id and c.reservation_id = w.id and c.date >= %(today)s::date - 1) as contested
    from unnest(%(hotels)s::int[], %(ids)s::uuid[]) as w (hotel_id, id)
) now
where s.hotel_id = now.hotel_id and s.reservation_id = now.id and (s.status = 'conflict') <> now.contested

-- name: count
select count(*)
from booking_engine.checkpoint p
join booking_engine.conflict c on c.date >= p.horizon - 1
where p.slot = %(slot)s

-- name: settle
update booking_engine.sync_status s
set status = case when s.undecided then 'pending' else 'synced' end
where s.hotel_id = %(hotel)s and s.status = 'conflict' and not exists (
    select from booking_engine.conflict c
    where c.hotel_id = s.hotel_id and c.reservation_id = s.reservation_id and c.date >= %(today)s::date - 1)

-- name: forget
-- Documents show them for as long as they are kept.
delete from booking_engine.conflict c
where c.hotel_id = %(hotel)s and c.date < %(today)s::date - 1 and not exists (
    select from booking_engine.document b
    where b.kind = 'booking' and b.hotel_id = c.hotel_id and b.id = c.reservation_id::text)
