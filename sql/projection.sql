From dirty keys to documents. Blocks with {braces} take a block of sql/pms in their place.

-- name: lock_endpoints
-- Adding an endpoint takes EXCLUSIVE: whoever writes documents sees it, or it sees their documents.
lock table booking_engine.endpoint in row share mode

-- name: changed_clients
select n.client_id::text
from unnest(%(ids)s::uuid[], %(digests)s::text[]) as n (client_id, digest)
join booking_engine.client_seen s on s.client_id = n.client_id
where s.digest is distinct from n.digest

-- name: owners
-- The reservations that were last computed from any of these rows.
-- One probe of the index per id: for one overlap with all of them the planner reads the whole table.
select distinct s.hotel_id, s.reservation_id::text
from unnest(%(ids)s::uuid[]) as wanted (id)
join booking_engine.reservation_seen s on s.refs @> array[wanted.id]

-- name: renew_seen
-- Notes what the wanted reservations are computed from now, and tells those for which that differs. Also tells
-- the clients that are others than noted: documents of other reservations still show them as they were. And the bookings
-- that came to us and have, or had, nights in these reservations, and whose `home` one is: to whom new nights belong.
with fresh as (
    {positions}
),
compared as (
    select f.hotel_id, f.reservation_id, f.nights, f.refs, f.dates, s.refs as old_refs, s.dates as old_dates
    from fresh f
    left join booking_engine.reservation_seen s using (hotel_id, reservation_id)
    where (f.refs, f.dates) is distinct from (s.refs, s.dates)
),
gone as (
    delete from booking_engine.reservation_seen s using compared c
    where c.refs is null and s.hotel_id = c.hotel_id and s.reservation_id = c.reservation_id
),
kept as (
    insert into booking_engine.reservation_seen (hotel_id, reservation_id, refs, dates)
    select hotel_id, reservation_id, refs, dates from compared where refs is not null
    on conflict (hotel_id, reservation_id) do update set refs = excluded.refs, dates = excluded.dates
),
shown as (
    select distinct unnest(clients) as client_id from fresh
),
digests as (
    {digests}
),
differing as (
    select d.client_id, d.digest, s.client_id is not null as known
    from digests d
    left join booking_engine.client_seen s using (client_id)
    where s.digest is distinct from d.digest
),
noted as (
    insert into booking_engine.client_seen (client_id, digest)
    select client_id, digest from differing order by client_id
    on conflict (client_id) do update set digest = excluded.digest
)
select null, null, null, null::boolean, hotel_id, coalesce(nights, '{{}}')::text[], coalesce(old_refs, '{{}}')::text[],
    coalesce(old_dates, '{{}}')::text[]
from compared
union all
select client_id::text, null, null, null::boolean, null, null, null, null from differing where known
union all
select null, b.id::text, f.reservation_id::text, b.home, f.hotel_id, null, null, null
from fresh f
cross join lateral (
    select n.booking_id as id, false as home from booking_engine.booking_night n
    where n.hotel_id = f.hotel_id and n.reservation_id = f.reservation_id
    union all
    select l.reservation_id, true from booking_engine.booking_link l
    where l.hotel_id = f.hotel_id and l.reservation_id = f.reservation_id
    union all
    select l.reservation_id, true from booking_engine.booking_link l
    where f.external_id is not null and l.hotel_id = f.hotel_id and l.external_id = f.external_id
) b

-- name: lock_bookings
-- Makes stubs where there are to be documents, and locks all in key order: one that is there is locked and stays as it is.
with keys as materialized (
    select e.hotel_id, e.id
    from (
        {eligible}
    ) e
    union
    select wanted.hotel_id, wanted.id
    from unnest(%(hotels)s::int[], %(ids)s::text[]) as wanted (hotel_id, id)
    cross join lateral (
        select from booking_engine.document found
        where found.kind = 'booking' and found.hotel_id = wanted.hotel_id and found.id = wanted.id
        limit 1
    ) d
),
locked as (
    insert into booking_engine.document as d (kind, hotel_id, id)
    select 'booking', hotel_id, id from keys order by hotel_id, id collate "C"
    on conflict (kind, hotel_id, id) do update set version = d.version where false
)
select hotel_id, id from keys

-- name: stub_content
insert into booking_engine.document (kind, hotel_id, id)
select %(kind)s, f.hotel_id, f.id
from (
    {fresh}
) f
where not exists (
    select from booking_engine.document d where d.kind = %(kind)s and d.hotel_id = f.hotel_id and d.id = f.id)
order by f.hotel_id, f.id
on conflict do nothing

-- name: lock_content
select d.hotel_id, d.id
from booking_engine.document d
where d.kind = %(kind)s and d.hotel_id = any(%(hotels)s::int[])
order by d.hotel_id, d.id
for update

-- name: of_keys
-- The content of every wanted key, without a body where it is gone.
select wanted.hotel_id, wanted.id, f.body, f.own, f.ends
from unnest(%(hotels)s::int[], %(ids)s::text[]) as wanted (hotel_id, id)
left join (
    {content}
) f on f.hotel_id = wanted.hotel_id and f.id = wanted.id

-- name: write
-- Gives every locked document that differs from the PMS its new body and version, and marks who is behind on it.
-- Materialized, so that a body is computed once, not for each place that names it.
with fresh as materialized (
    {fresh}
),
changed as (
    select f.hotel_id, f.id, d.version as old_version, d.own as was_own, f.body, f.own, f.ends
    from fresh f
    cross join lateral (
        select known.version, known.own, known.body from booking_engine.document known
        where known.kind = %(kind)s and known.hotel_id = f.hotel_id and known.id = f.id
        limit 1
    ) d
    where d.body is distinct from f.body or f.own <> d.own
),
moved as (
    update booking_engine.document d
    set body = c.body,
        version = v.version,
        born = case when d.body is null then v.version else d.born end,
        own = coalesce(c.own, d.own),
        ends = coalesce(c.ends, d.ends),
        committed_at = coalesce(%(committed_at)s, clock_timestamp())
    from changed c
    cross join lateral booking_engine.next_version(c.old_version) as v (version)
    where d.kind = %(kind)s and d.hotel_id = c.hotel_id and d.id = c.id
    returning d.kind, d.hotel_id, d.id, c.old_version, d.version, d.own, c.was_own
),
{marks}
select count(*) from moved

-- name: in_step
-- The versions of those documents that say what the PMS says now.
select d.version
from (
    {fresh}
) f
join booking_engine.document d on d.kind = 'booking' and d.hotel_id = f.hotel_id and d.id = f.id
where d.body is not distinct from f.body

-- name: write_nights
-- Each night is looked up by itself: joined with all of them at once, the table is read from its beginning on. They are
-- written in the order in which they are read.
with fresh as (
    {fresh}
),
changed as (
    select f.*
    from fresh f
    left join lateral (
        select known.sellable, known.occupied from booking_engine.availability known
        where known.hotel_id = f.hotel_id and known.room_type_id = f.room_type_id and known.date = f.date
        limit 1
    ) a on true
    where (a.sellable, a.occupied) is distinct from (f.sellable, f.occupied)
),
counters as (
    select d.hotel_id, d.id, d.version as old_version
    from (select distinct hotel_id, room_type_id::text as id from changed) c
    cross join lateral (
        select known.hotel_id, known.id, known.version from booking_engine.document known
        where known.kind = 'availability' and known.hotel_id = c.hotel_id and known.id = c.id
            and known.body is not null
        limit 1
    ) d
),
moved as (
    update booking_engine.document d
    set version = booking_engine.next_version(d.version),
        committed_at = coalesce(%(committed_at)s, clock_timestamp())
    from counters c
    where d.kind = 'availability' and d.hotel_id = c.hotel_id and d.id = c.id
    returning d.kind, d.hotel_id, d.id, c.old_version, d.version, d.own, false as was_own
),
nights as (
    insert into booking_engine.availability (hotel_id, room_type_id, date, sellable, occupied, version)
    select c.hotel_id, c.room_type_id, c.date, c.sellable, c.occupied, m.version
    from changed c
    join moved m on m.hotel_id = c.hotel_id and m.id = c.room_type_id::text
    order by c.hotel_id, c.room_type_id, c.date
    on conflict (hotel_id, room_type_id, date) do update
        set sellable = excluded.sellable, occupied = excluded.occupied, version = excluded.version
),
{marks}
select count(*) from moved

-- name: place
-- Bookings stand a second before the rest, and many keys of one hotel apart from each other, so that those of other
-- hotels come between.
(extract(epoch from clock_timestamp()) * 1000000)::bigint
    + case m.kind when 'booking' then 0 else 1000000 end
    + least(row_number() over (partition by e.id, m.hotel_id) - 1, 1000) * 10000

-- name: marks
-- What is not in the queue yet gets a place in it. A booking that is no longer our own is marked to be withdrawn. Marking
-- locks the row, so that an acknowledgement on its way sees the new version. The feed gives positions to what is told,
-- once this is committed.
marked as (
    insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place)
    select e.id, m.kind, m.hotel_id, m.id, m.version, m.old_version, {place}
    from moved m
    join booking_engine.endpoint e on e.status <> 'disabled'
        and (e.hotels is null or m.hotel_id = any(e.hotels))
        and (e.types is null or m.kind = any(e.types))
        and (m.kind <> 'booking' or e.bookings = 'all' or m.own or m.was_own)
    order by e.id, m.kind, m.hotel_id, m.id
    on conflict (endpoint_id, kind, hotel_id, id) do update
        set version = excluded.version, tries = 0, outages = 0, not_before = null, rejected_at = null,
            last_error = null
),
told as (
    insert into booking_engine.event_queue (kind, hotels, ids, sinces, versions, owns)
    select kind, array_agg(hotel_id), array_agg(id), array_agg(old_version), array_agg(version),
        array_agg(own or was_own)
    from moved
    group by kind
)

-- name: listed
-- Bookings that came to us are listed by their links.
listed as (
    update booking_engine.booking_link l set version = m.version
    from moved m
    where l.hotel_id = m.hotel_id and l.reservation_id = m.id::uuid
)

-- name: forget_room_types
-- The nights of room types that are no more.
delete from booking_engine.availability a
using booking_engine.document d
where d.kind = 'availability' and d.hotel_id = any(%(hotels)s::int[]) and d.body is null and d.version > 0
    and a.hotel_id = d.hotel_id and a.room_type_id = d.id::int
