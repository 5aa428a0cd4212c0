Rooms for a stay: which are free on all its nights, and locking them before they are given away.

An insert of a night takes a KEY SHARE lock on its room, through the foreign key, at the end of its statement. FOR NO KEY
UPDATE does not conflict with that: it keeps our bookings apart, and the front desk feels nothing of it. FOR UPDATE does:
what it has locked has no night on its way but by a statement that is still running, which nothing shows before its end,
and what was committed before is seen by the next statement. It is taken last, just before the commit.
{free} is the condition of stays.sql.

-- name: room_types
-- The wanted room types of a hotel with the most people that one of their rooms takes; null without a room for sale.
select t.id, max(r.capacity) filter (where r.for_sale and not r.is_staff_room)
from room_types t
left join rooms r on r.hotel_id = t.hotel_id and r.room_type_id = t.id
where t.hotel_id = %(hotel)s and t.id = any(%(room_types)s::int[])
group by t.id

-- name: lock_best
-- The best free room that no booking of ours has locked, now locked by this one; none where every free one is locked.
select r.id, r.room_type_id, r.capacity, r.assignment_priority as priority
from rooms r
where r.hotel_id = %(hotel)s and r.room_type_id = %(room_type)s and r.capacity >= %(people)s
    and r.id <> all(%(taken)s::int[]) and {free}
order by r.assignment_priority nulls last, r.capacity, r.id
limit 1
for no key update of r skip locked

-- name: lock_all
-- Every free room of the wanted types, locked in id order: whoever waits for one holds only lower ids.
select r.id
from rooms r
where r.hotel_id = %(hotel)s and r.room_type_id = any(%(room_types)s::int[])
    and {free}
order by r.id
for no key update of r

-- name: every
-- Every free room of the wanted types, none of them locked.
select r.id, r.room_type_id, r.capacity, r.assignment_priority as priority
from rooms r
where r.hotel_id = %(hotel)s and r.room_type_id = any(%(room_types)s::int[]) and {free}

-- name: free
-- Those of the rooms that can be sold and are free on all nights; asked again once they are locked.
select r.id, r.room_type_id, r.capacity, r.assignment_priority as priority
from rooms r
where r.hotel_id = %(hotel)s and r.id = any(%(rooms)s::int[]) and {free}

-- name: lock
-- These rooms, whatever their state, locked in id order.
select r.id, r.capacity
from rooms r
where r.hotel_id = %(hotel)s and r.id = any(%(rooms)s::int[])
order by r.id
for no key update of r

-- name: at_hand
select r.id
from rooms r
where r.hotel_id = %(hotel)s and r.id = any(%(rooms)s::int[])
for update of r skip locked

-- name: shortly
-- However long a large reservation may take to write: from here on somebody may wait for it.
select set_config('statement_timeout', '200ms', true)

-- name: keep_out
-- From here on nobody is given a night in these rooms, and nobody is just being given one. Fails (division_by_zero) where
-- one of them cannot be sold any more.
select 1 / (r.for_sale and not r.is_staff_room)::int
from rooms r
where r.hotel_id = %(hotel)s and r.id = any(%(rooms)s::int[])
order by r.id
for update of r

-- name: alone
-- Fails (division_by_zero) where another stay has one of these nights, so that the commit that follows is none: it is on
-- its way already.
select 1 / (not exists (
    select from unnest(%(rooms)s::int[], %(dates)s::date[]) as given (room_id, date)
    cross join lateral (
        select from reservation_details d
        where d.hotel_id = %(hotel)s and d.room_id = given.room_id and d.date = given.date and d.cancelled is null
            and d.reservation_id <> %(reservation)s
        limit 1
    ) taken
))::int
