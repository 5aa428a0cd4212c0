Rooms for a stay: which are free on all its nights, and locking them before they are given away.

An insert of a night takes a KEY SHARE lock on its room, through the foreign key; FOR UPDATE conflicts with that. So
what is locked here has no night on its way, and what was committed before is seen by the next statement. {free} is the
condition of stays.sql.

-- name: room_types
-- The wanted room types of a hotel with the most people that one of their rooms takes; null without a room for sale.
select t.id, max(r.capacity) filter (where r.for_sale and not r.is_staff_room)
from room_types t
left join rooms r on r.hotel_id = t.hotel_id and r.room_type_id = t.id
where t.hotel_id = %(hotel)s and t.id = any(%(room_types)s::int[])
group by t.id

-- name: lock_best
-- The best free room that nobody has locked, now locked by us; none where every free one is locked.
select r.id, r.room_type_id, r.capacity, r.assignment_priority as priority
from rooms r
where r.hotel_id = %(hotel)s and r.room_type_id = %(room_type)s and r.capacity >= %(people)s
    and r.id <> all(%(taken)s::int[]) and {free}
order by r.assignment_priority nulls last, r.capacity, r.id
limit 1
for update of r skip locked

-- name: lock_all
-- Every free room of the wanted types, locked in id order: whoever waits for one holds only lower ids.
select r.id
from rooms r
where r.hotel_id = %(hotel)s and r.room_type_id = any(%(room_types)s::int[])
    and {free}
order by r.id
for update of r

-- name: hurry
-- What is locked is kept from the front desk while we wait for the next: bound all of it, not each.
select current_setting('statement_timeout'), set_config('statement_timeout', '300ms', true)

-- name: at_ease
select set_config('statement_timeout', %(before)s, true)

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
for update of r
