What endpoints are sent again: durable jobs, marked in pages.

-- name: wanted
-- Whether replay `r` of endpoint `e` sends document `d` again. What is gone is said by what closes the replay; where only
-- later changes are asked for, each is said by itself.
d.version > 0
and (e.hotels is null or d.hotel_id = any(e.hotels))
and (e.types is null or d.kind = any(e.types))
and (d.kind <> 'booking' or e.bookings = 'all' or d.own)
and (r.hotels is null or d.hotel_id = any(r.hotels))
and (r.kinds is null or d.kind = any(r.kinds))
and case
    when r.since is not null then d.version >= (extract(epoch from r.since) * 1000000)::bigint
    else (d.body is not null or d.kind = 'hotel') and (d.kind <> 'booking' or d.ends >= {window})
end

-- name: every
array['availability', 'booking', 'hotel', 'plan', 'rates', 'room_type']

-- name: count
-- Of each kind up to `most`. Of some hotels only their own documents are looked at.
select k.kind, d.wanted
from booking_engine.endpoint e
cross join (
    select %(hotels)s::int[] as hotels, %(kinds)s::text[] as kinds, %(since)s::timestamptz as since
) r
cross join lateral unnest(coalesce(r.kinds, e.types, {every})) as k (kind)
cross join lateral (
    select count(*) as wanted
    from (
        select
        from booking_engine.document d
        where coalesce(r.hotels, e.hotels) is null and d.kind = k.kind and {wanted}
        union all
        select
        from (select distinct unnest(coalesce(r.hotels, e.hotels)) as id) h
        cross join lateral (
            select
            from booking_engine.document d
            where d.kind = k.kind and d.hotel_id = h.id and {wanted}
        ) d
        limit %(most)s
    ) one
) d
where e.id = %(endpoint)s and d.wanted > 0

-- name: add
-- What is disabled, or about to be sent everything, needs none.
insert into booking_engine.replay (endpoint_id, reason, hotels, kinds, since, total, version)
select e.id, %(reason)s, %(hotels)s::int[], %(kinds)s::text[], %(since)s::timestamptz, %(total)s,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint
from booking_engine.endpoint e
where e.id = %(endpoint)s and e.status <> 'disabled' and e.fill_version is null
returning id

-- name: set_total
update booking_engine.replay set total = %(total)s where id = %(replay)s

-- name: any_open
select exists (select from booking_engine.replay where finished_at is null)

-- name: next
-- The oldest one that nobody else is at. It waits until the PMS has been read, as a first sync does.
select r.id, e.name, e.status = 'disabled' or e.fill_version is not null as moot
from booking_engine.replay r
join booking_engine.endpoint e on e.id = r.endpoint_id
where r.finished_at is null
    and not exists (select from booking_engine.dirty_scope where kind in ('content', 'rates', 'booking'))
order by r.id
limit 1
for no key update of r skip locked

-- name: mark
-- Marks a page of documents as what the endpoint may have in some version, or had at the time asked for. What is in
-- flight is sent again after it, so that its acknowledgement cannot undo that. The page ends where a document is being
-- written. Tells whether there may be more.
with page as (
    select *, row_number() over (order by kind, hotel_id, id) as n
    from (
        select d.*
        from booking_engine.replay r
        cross join lateral unnest(coalesce(r.kinds, {every})) as k (kind)
        cross join lateral (
            (select d.kind, d.hotel_id, d.id, d.ctid as row
            from booking_engine.document d
            where r.hotels is null and d.kind = k.kind
                and (d.kind, d.hotel_id, d.id) > (r.at_kind, r.at_hotel, r.at_id)
            order by d.hotel_id, d.id
            limit %(size)s)
            union all
            (select d.*
            from (select distinct unnest(r.hotels) as id) h
            cross join lateral (
                select d.kind, d.hotel_id, d.id, d.ctid as row
                from booking_engine.document d
                where d.kind = k.kind and d.hotel_id = h.id
                    and (d.kind, d.hotel_id, d.id) > (r.at_kind, r.at_hotel, r.at_id)
                order by d.id
                limit %(size)s
            ) d)
        ) d
        where r.id = %(replay)s
        order by d.kind, d.hotel_id, d.id
        limit %(size)s
    ) next
),
{settled},
marked as (
    insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place)
    select e.id, d.kind, d.hotel_id, d.id, d.version,
        coalesce((extract(epoch from r.since) * 1000000)::bigint - 1, 1),
        r.version + array_position(
            array['hotel', 'room_type', 'plan', 'rates', 'availability', 'booking'], d.kind)
    from booking_engine.replay r
    join booking_engine.endpoint e on e.id = r.endpoint_id
    join settled d on {wanted}
    where r.id = %(replay)s
    order by d.kind, d.hotel_id, d.id
    on conflict (endpoint_id, kind, hotel_id, id) do update
        set version = greatest(behind.version, excluded.version), acked = least(behind.acked, excluded.acked),
            place = least(behind.place, excluded.place), again = behind.token is not null, tries = 0, outages = 0,
            not_before = null, rejected_at = null, last_error = null
    returning 1
),
moved as (
    update booking_engine.replay r
    set at_kind = l.kind, at_hotel = l.hotel_id, at_id = l.id, marked = r.marked + (select count(*) from marked)
    from (select kind, hotel_id, id from settled order by n desc limit 1) l
    where r.id = %(replay)s
)
select (select count(*) from settled) < (select count(*) from page) or (select count(*) from page) = %(size)s

-- name: finish
-- Ends a replay, with the snapshots of its hotels. Where only later changes were asked for, each says by itself what is gone,
-- but for bookings that are our own no longer: who is told of those only needs the list of those that are.
with finished as (
    update booking_engine.replay
    set finished_at = clock_timestamp(), note = %(note)s
    where id = %(replay)s
    returning *
),
filled as (
    select e.id, e.types, r.version,
        case
            when r.hotels is null then e.hotels
            when e.hotels is null then r.hotels
            else array(select unnest(e.hotels) intersect select unnest(r.hotels))
        end as hotels
    from finished r
    join booking_engine.endpoint e on e.id = r.endpoint_id
    where (r.since is null or e.bookings = 'own') and r.note is null
)
{snapshots}

-- name: forget
delete from booking_engine.replay where finished_at < clock_timestamp() - interval '30 days'

-- name: list
select r.id, e.name, r.reason, r.hotels, r.kinds, r.since, r.total, r.marked, r.created_at, r.finished_at, r.note
from booking_engine.replay r
join booking_engine.endpoint e on e.id = r.endpoint_id
where (%(id)s::bigint is null or r.id = %(id)s) and (%(open)s is not true or r.finished_at is null)
    and (%(endpoints)s::text[] is null or e.name = any(%(endpoints)s))
order by r.id desc
limit %(most)s
