Endpoints: where messages go, and the first sync of those that are new.

-- name: lock
-- Waits until nobody is writing documents; who writes them takes ROW SHARE before it reads the list of endpoints.
lock table booking_engine.endpoint in exclusive mode

-- name: add
insert into booking_engine.endpoint
    (name, url, format, secret, public_key, ca, headers, hotels, types, bookings, guest_data, max_bytes, concurrency,
    rate_per_second, heartbeat_seconds, fill_version)
values (%(name)s, %(url)s, %(format)s, %(secret)s, %(public_key)s, %(ca)s, %(headers)s, %(hotels)s::int[],
    %(types)s::text[], %(bookings)s, %(guest_data)s, %(max_bytes)s, %(concurrency)s,
    nullif(%(rate_per_second)s::real, 0), %(heartbeat_seconds)s,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint)
returning id

-- name: enable
update booking_engine.endpoint
set status = 'healthy', reason = null, changed_at = clock_timestamp(), failures = 0, failed_at = null,
    retry_at = null, last_error = null, pace = 1, paced_at = null,
    fill_version = (extract(epoch from clock_timestamp()) * 1000000)::bigint
where name = %(name)s
returning id

-- name: disable
update booking_engine.endpoint
set status = 'disabled', reason = %(reason)s, changed_at = clock_timestamp(), fill_version = null
where name = %(name)s
returning id

-- name: remove
delete from booking_engine.endpoint where id = %(endpoint)s

-- name: rotate
-- The secret that was signs on beside the new one for so many seconds.
update booking_engine.endpoint
set secret = %(secret)s, public_key = %(public_key)s, revision = revision + 1,
    old_secret = case when %(grace)s > 0 then secret end,
    old_secret_until = case when %(grace)s > 0 then clock_timestamp() + %(grace)s * interval '1 s' end
where id = %(id)s and secret = %(was)s

-- name: sealed
-- What is encrypted of every endpoint, or of one.
select id, name, format, secret, public_key, old_secret,
    case when old_secret_until > now() then old_secret_until end, headers
from booking_engine.endpoint
where name = coalesce(%(name)s, name)
order by id

-- name: reseal
-- Unless it was changed since it was read.
update booking_engine.endpoint
set secret = %(secret)s, old_secret = %(old_secret)s, headers = %(headers)s
where id = %(id)s and secret = %(was)s and headers = %(headers_were)s

-- name: forget
-- Secrets whose grace has ended.
update booking_engine.endpoint
set old_secret = null, old_secret_until = null
where old_secret_until <= now()

-- name: told
select name, hotels from booking_engine.endpoint

-- name: overview
-- What waits is counted in an index alone, up to `most`; what has waited longest is looked for where each order of waiting
-- begins. Unless `counted`, neither is.
select e.id, e.name, e.url, e.format, e.public_key, e.old_secret_until, e.ca,
    array(select name from jsonb_object_keys(e.headers) as name order by name) as headers,
    e.status, e.reason, e.hotels, e.types, e.bookings, e.guest_data, e.max_bytes, e.concurrency,
    coalesce(e.rate_per_second, 0)::float8 as rate_per_second, e.heartbeat_seconds, e.failures, e.retry_at, e.last_error, e.last_success_at,
    e.fill_version is not null as filling, e.revision, b.behind, refused.rejected, oldest.since as oldest
from booking_engine.endpoint e
cross join lateral (
    select count(*) as behind
    from (
        select from booking_engine.behind
        where %(counted)s and endpoint_id = e.id and kind <> 'snapshot'
        limit %(most)s
    ) first
) b
cross join lateral (
    select count(*) as rejected
    from (
        select from booking_engine.behind
        where %(counted)s and endpoint_id = e.id and rejected_at is not null
        limit %(most)s
    ) first
) refused
cross join lateral (
    select min(first.since) as since
    from (
        (select since from booking_engine.behind
        where endpoint_id = e.id and rejected_at is null and not_before is null and kind <> 'snapshot'
        order by place limit 100)
        union all
        (select since from booking_engine.behind
        where endpoint_id = e.id and rejected_at is null and not_before is not null and kind <> 'snapshot'
        order by not_before limit 1000)
        union all
        (select since from booking_engine.behind
        where endpoint_id = e.id and rejected_at is not null and kind <> 'snapshot'
        order by rejected_at limit 1000)
    ) first
    where %(counted)s
) oldest
where %(name)s::text is null or e.name = %(name)s
order by e.name

-- name: fence
-- Whoever holds this row does the endpoint's first sync; marking needs only its key. It waits until the PMS has been
-- read: a snapshot of half of the documents would tell the endpoint to drop the others.
select 1
from booking_engine.endpoint
where id = %(endpoint)s and fill_version = %(version)s
    and not exists (select from booking_engine.dirty_scope where kind in ('content', 'rates', 'booking'))
    and (exists (select from booking_engine.checkpoint) or exists (select from booking_engine.document))
for no key update skip locked

-- name: clear
-- A page of what was marked before the first sync; what is being marked at this moment stays, and so does what is in
-- flight: marked without its row, it would be sent twice at the same time.
with page as (
    select b.kind, b.hotel_id, b.id
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s and b.version <= %(version)s
        and not exists (select from booking_engine.worker w where w.id = b.worker and w.until > now())
    order by b.kind, b.hotel_id, b.id
    limit %(size)s
    for update of b skip locked
)
delete from booking_engine.behind b
using page p
where b.endpoint_id = %(endpoint)s and b.kind = p.kind and b.hotel_id = p.hotel_id and b.id = p.id

-- name: fill
-- Marks a page of documents as unknown to the endpoint. What is in flight is sent again after it, so that its
-- acknowledgement cannot undo that. Bookings that ended before the window are left out; hotels that are gone are sent as gone.
-- The page ends where a document is being written, and passes one that is not there any more.
with page as (
    select *, row_number() over (order by kind, hotel_id, id) as n
    from (
        select kind, hotel_id, id, ctid as row
        from booking_engine.document
        where (kind, hotel_id, id) > (%(kind)s, %(hotel)s, %(id)s)
        order by kind, hotel_id, id
        limit %(size)s
    ) next
),
{settled},
marked as (
    insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place)
    select e.id, p.kind, p.hotel_id, p.id, p.version, (p.body is null)::int,
        e.fill_version + array_position(
            array['hotel', 'room_type', 'plan', 'rates', 'availability', 'booking'], p.kind)
    from settled p
    join booking_engine.endpoint e on e.id = %(endpoint)s
        and (e.hotels is null or p.hotel_id = any(e.hotels))
        and (e.types is null or p.kind = any(e.types))
        and (p.kind <> 'booking' or e.bookings = 'all' or p.own)
    where p.version > 0
        and (p.body is not null or p.kind = 'hotel')
        and (p.kind <> 'booking' or p.ends >= {window})
    order by p.kind, p.hotel_id, p.id
    on conflict (endpoint_id, kind, hotel_id, id) do update
        set version = greatest(behind.version, excluded.version), acked = excluded.acked, place = excluded.place,
            again = behind.token is not null, tries = 0, outages = 0, not_before = null, rejected_at = null,
            last_error = null
)
select kind, hotel_id, id
from (
    select kind, hotel_id, id, n from settled
    union all
    select kind, hotel_id, id, n from page where n = 1
) passed
order by n desc
limit 1

-- name: settled
-- Of a `page` of documents, numbered as they come, those before the first one that is being written, or just was. Who
-- writes documents locks them before their marks, and kind by kind in another order: who marks a page waits for its
-- first alone, while it holds none. So nobody who writes waits for longer than a page takes.
locked as (
    select p.n, d.*
    from (select * from page where n = 1) p
    cross join lateral (
        select *
        from booking_engine.document d
        where d.kind = p.kind and d.hotel_id = p.hotel_id and d.id = p.id
        for share
    ) d
    union all
    select p.n, d.*
    from (select * from page where n > 1 order by n) p
    cross join lateral (
        select * from booking_engine.document d where d.ctid = p.row for share skip locked
    ) d
),
settled as (
    select *
    from (select *, row_number() over (order by n) as m from locked) l
    where l.m = l.n
)

-- name: window
-- The day from which on bookings that end are kept in step, on the horizon's own calendar.
(select coalesce(max(horizon), current_date) - 30 from booking_engine.checkpoint)

-- name: close
-- Marks the snapshots that end the first sync; then it is filled.
with filled as (
    update booking_engine.endpoint e
    set fill_version = null
    from (select id, fill_version from booking_engine.endpoint where id = %(endpoint)s) old
    where e.id = old.id
    returning e.id, e.hotels, e.types, old.fill_version as version
)
{snapshots}

-- name: snapshots
-- One snapshot per hotel of those that are `filled`, or 16 where the endpoint is told of many bookings. An engine that
-- fetches what it keeps needs none.
insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place)
select e.id, 'snapshot', h.hotel_id, digits.first || '-' || digits.last, e.version, 0, e.version + 7
from filled e
join booking_engine.endpoint f on f.id = e.id and f.format = 'standard-webhooks'
join booking_engine.document h on h.kind = 'hotel' and h.body is not null and h.version > 0
    and (e.hotels is null or h.hotel_id = any(e.hotels))
cross join lateral (
    select (e.types is null or 'booking' = any(e.types)) and exists (
        select
        from booking_engine.document b
        where b.kind = 'booking' and b.hotel_id = h.hotel_id and b.body is not null
        offset %(many)s
        limit 1) as many
) bookings
cross join lateral (
    select '0' as first, 'f' as last where not bookings.many
    union all
    select digit, digit from unnest(string_to_array('0123456789abcdef', null)) as digit where bookings.many
) digits
on conflict (endpoint_id, kind, hotel_id, id) do update
    set version = excluded.version, place = excluded.place, again = behind.token is not null
