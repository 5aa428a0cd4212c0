The feed: giving positions, reading from one, and how far clients have read.

-- name: alone
-- One pass at a time: the next one begins when this one's positions can be seen.
select pg_advisory_xact_lock(hashtext('roomwire feed'))

-- name: number
-- Gives positions to what waits, some 20,000 keys at a time. A key that waits twice gets one. `after` is an id that
-- everything waiting is known to come after: rows that are gone pile up before it while the PMS keeps a transaction open.
with page as (
    select q.id
    from (
        select id, sum(cardinality(ids)) over (order by id) - cardinality(ids) as before
        from (
            select id, ids from booking_engine.event_queue where id > %(after)s order by id limit 100
        ) waiting
    ) q
    where q.before < 20000
),
taken as (
    delete from booking_engine.event_queue q using page p where q.id = p.id returning q.*
),
key as (
    select t.kind, k.hotel_id, k.id, min(k.since) as since, max(k.version) as version, bool_or(k.own) as own,
        max(t.id) as turn
    from taken t
    cross join lateral unnest(t.hotels, t.ids, t.sinces, t.versions, t.owns) as k (hotel_id, id, since, version, own)
    group by t.kind, k.hotel_id, k.id
),
told as (
    insert into booking_engine.event (position, kind, hotel_id, id, since, version, own)
    select base.first - 1 + row_number() over (order by k.turn, k.kind, k.hotel_id, k.id),
        k.kind, k.hotel_id, k.id, k.since, k.version, k.own
    from key k
    cross join (
        select booking_engine.next_version(greatest(floor, (select max(position) from booking_engine.event))) as first
        from booking_engine.feed
    ) base
)
select coalesce(max(id), 0), count(*) from taken

-- name: head
select greatest(floor, (select max(position) from booking_engine.event)) from booking_engine.feed

-- name: floor
select floor from booking_engine.feed

-- name: read
-- A page of events with the documents as they are now. An event tells of what is newest since its own version: of
-- availability the nights that last changed with it. What changed again is left to the later event, unless that was within
-- this second: a key that changes all the time would otherwise never be told. `last`: null where the page is full.
-- For who reads of our own bookings only, one that is our own no longer is gone; the last event that it was our own at
-- tells so, as later ones are none of his.
with page as materialized (
    select e.position, e.kind, e.hotel_id, e.id, e.since, d.version, d.born, d.committed_at,
        case when e.kind <> 'booking' or d.own or not %(own)s then d.body::text end as body,
        case when d.version > recent.version then d.version else e.version end as upto
    from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint - 1000000 as version) recent
    cross join lateral (
        select * from booking_engine.event where position > %(after)s order by position limit %(reach)s
    ) e
    cross join lateral (
        select * from booking_engine.document d where d.kind = e.kind and d.hotel_id = e.hotel_id and d.id = e.id
        offset 0
    ) d
    where (%(hotels)s::int[] is null or e.hotel_id = any(%(hotels)s::int[]))
        and e.kind = any(%(kinds)s::text[])
        and (e.kind <> 'booking' or e.own or not %(own)s)
        and (e.kind = 'availability' or d.version <= e.version or d.version > recent.version
            or e.kind = 'booking' and %(own)s and not d.own)
    order by e.position
    limit %(limit)s
)
select ends.head, ends.last, p.position, p.kind, p.hotel_id, p.id, p.since, p.version, p.born, p.body, p.committed_at,
    nights.days, nights.sellable, nights.occupied
from (
    select (select max(position) from booking_engine.event) as head,
        case when (select count(*) from page) < %(limit)s then (
            select max(position)
            from (
                select position from booking_engine.event where position > %(after)s order by position limit %(reach)s
            ) looked_at)
        end as last
) ends
left join page p on true
left join lateral (
    select array_agg(a.date - date '0001-01-01' + 1 order by a.date) as days,
        array_agg(a.sellable order by a.date) as sellable,
        array_agg(a.occupied order by a.date) as occupied
    from booking_engine.availability a
    where p.kind = 'availability' and p.body is not null
        and a.hotel_id = p.hotel_id and a.version > p.since and a.version <= p.upto
        and a.room_type_id = case when p.kind = 'availability' then p.id::int end
) nights on p.kind = 'availability'
order by p.position

-- name: cursor
select position from booking_engine.event_cursor where client = %(client)s and name = %(name)s

-- name: cursors
select name, position, acked_at from booking_engine.event_cursor where client = %(client)s order by name

-- name: ack
-- A cursor only moves on.
update booking_engine.event_cursor
set position = greatest(position, %(position)s), acked_at = clock_timestamp()
where client = %(client)s and name = %(name)s
returning name, position, acked_at

-- name: one_client
-- Who makes cursors at the same time would count each other's not.
select pg_advisory_xact_lock(hashtext('roomwire cursors of ' || %(client)s))

-- name: make
-- A new cursor is refused where the client has as many as it may.
insert into booking_engine.event_cursor as c (client, name, position)
select %(client)s, %(name)s, %(position)s
where exists (select from booking_engine.event_cursor where client = %(client)s and name = %(name)s)
    or (select count(*) from booking_engine.event_cursor where client = %(client)s) < %(most)s
on conflict (client, name) do update
    set position = greatest(c.position, excluded.position), acked_at = clock_timestamp()
returning name, position, acked_at

-- name: remove
delete from booking_engine.event_cursor where client = %(client)s and name = %(name)s

-- name: raise_floor
-- Before a partition goes: whoever stands before its last event has missed something.
update booking_engine.feed
set floor = greatest(floor, (select coalesce(max(position), 0) from booking_engine.{partition}))

-- name: forget
-- Cursors that nobody has moved for so long, and that have missed something.
delete from booking_engine.event_cursor c
using booking_engine.feed f
where c.position < f.floor and c.acked_at < now() - %(days)s * interval '1 day'

-- name: standing
select greatest(f.floor, (select max(position) from booking_engine.event)),
    (select versions[1] from booking_engine.event_queue order by id limit 1)
from booking_engine.feed f

-- name: lagging
-- How far the cursors of clients that have a valid key are behind, counted up to 100,000 events.
select c.client, c.name, c.position, c.acked_at, c.position < f.floor,
    (select count(*) from (
        select from booking_engine.event e where e.position > c.position limit 100000) behind),
    case when c.position < f.floor then f.floor
        else (select min(e.position) from booking_engine.event e where e.position > c.position) end
from booking_engine.event_cursor c
cross join booking_engine.feed f
where exists (
    select from booking_engine.api_keys k
    where k.client = c.client and coalesce(k.revoked_at > now(), true) and coalesce(k.expires_at > now(), true))
order by c.client, c.name
