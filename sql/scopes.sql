Durable work that is not in the WAL, and its pages.

-- name: add
insert into booking_engine.dirty_scope (kind, hotel_id, reason)
values (%(kind)s, %(hotel)s, %(reason)s)
on conflict (kind, hotel_id) do update
    set cursor = null, done = 0, total = null, reason = excluded.reason, created_at = clock_timestamp()

-- name: next
select id, kind, hotel_id, reason, cursor, done, total
from booking_engine.dirty_scope
order by hotel_id is not null or kind in ('client', 'versions'),
    array_position(array['content', 'rates', 'horizon', 'availability', 'booking', 'client', 'versions'], kind), id
limit 1
for update

-- name: any
select exists (select from booking_engine.dirty_scope)

-- name: list
select id, kind, hotel_id, reason, cursor, done, total
from booking_engine.dirty_scope
order by id

-- name: expand
-- Of every hotel that the PMS has or that we know.
insert into booking_engine.dirty_scope (kind, hotel_id, reason)
select %(kind)s, h.id, %(reason)s
from (
    {hotels}
    union
    select hotel_id from booking_engine.document
) h (id)
order by h.id
on conflict (kind, hotel_id) do update set cursor = null, done = 0, total = null

-- name: step
update booking_engine.dirty_scope
set cursor = %(cursor)s, done = done + %(done)s, total = %(total)s
where id = %(id)s

-- name: finish
delete from booking_engine.dirty_scope where id = %(id)s

-- name: booking_page
-- The PMS's reservations and those that we know, in id order.
select id
from (
    (
        {page}
    )
    union
    (
        select d.id from booking_engine.document d
        where d.kind = 'booking' and d.hotel_id = %(hotel)s
            and (%(cursor)s::text is null or d.id > (%(cursor)s::text) collate "C")
        order by d.id limit %(limit)s
    )
    union
    (
        select s.reservation_id::text from booking_engine.reservation_seen s
        where s.hotel_id = %(hotel)s and (%(cursor)s::uuid is null or s.reservation_id > %(cursor)s::uuid)
        order by s.reservation_id limit %(limit)s
    )
) known
order by id collate "C"
limit %(limit)s

-- name: client_page
-- The next clients that documents show, and whether they are others now.
with shown as (
    select client_id, digest as seen
    from booking_engine.client_seen
    where client_id > coalesce(%(cursor)s::uuid, '00000000-0000-0000-0000-000000000000')
    order by client_id
    limit %(limit)s
),
digests as (
    {digests}
)
select shown.client_id::text, digests.digest is not null and digests.digest <> shown.seen
from shown
left join digests using (client_id)
order by shown.client_id

-- name: count_clients
select count(*) from booking_engine.client_seen

-- name: missing_nights
-- The nights of the horizon that a hotel's availability does not have yet.
select day::date::text
from generate_series(%(today)s::date - 1, %(today)s::date + 730, interval '1 day') as day
where not exists (
    select from booking_engine.availability a where a.hotel_id = %(hotel)s and a.date = day::date)

-- name: prune_nights
delete from booking_engine.availability where hotel_id = %(hotel)s and date < %(today)s::date - 1

-- name: prune_documents
-- Leaving the window is no deletion: nothing is sent. What an endpoint still waits for stays.
delete from booking_engine.document d
where d.hotel_id = %(hotel)s
    and (
        d.version = 0
        or d.kind = 'booking' and d.ends < %(today)s::date - 30
        or d.body is null and d.committed_at < %(today)s::date - 30)
    and not exists (
        select from booking_engine.behind b where b.kind = d.kind and b.hotel_id = d.hotel_id and b.id = d.id)

-- name: prune_seen
delete from booking_engine.reservation_seen s
where s.hotel_id = %(hotel)s
    and not exists (select from unnest(s.dates) as night where night >= %(today)s::date - 1)
    and not exists (
        select from booking_engine.document d
        where d.kind = 'booking' and d.hotel_id = s.hotel_id and d.id = s.reservation_id::text)

-- name: prune_parts
delete from booking_engine.booking_night n
where n.hotel_id = %(hotel)s and not exists (
    select from booking_engine.document d
    where d.kind = 'booking' and d.hotel_id = n.hotel_id and d.id = n.booking_id::text)
