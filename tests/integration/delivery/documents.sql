Documents as tests want them, marked by the projector's own statement.

-- name: share
lock table booking_engine.endpoint in row share mode

-- name: stub
insert into booking_engine.document (kind, hotel_id, id) values (%(kind)s, %(hotel)s, %(id)s) on conflict do nothing

-- name: lock
select version from booking_engine.document where kind = %(kind)s and hotel_id = %(hotel)s and id = %(id)s for update

-- name: write
with old as (
    select own from booking_engine.document where kind = %(kind)s and hotel_id = %(hotel)s and id = %(id)s
),
moved as (
    update booking_engine.document d
    set body = %(body)s::jsonb,
        version = v.version,
        born = case when d.body is null then v.version else d.born end,
        own = %(own)s,
        ends = (%(body)s::jsonb ->> 'check_out')::date,
        committed_at = clock_timestamp()
    from booking_engine.next_version(%(old)s) as v (version), old
    where d.kind = %(kind)s and d.hotel_id = %(hotel)s and d.id = %(id)s
    returning d.kind, d.hotel_id, d.id, %(old)s::bigint as old_version, d.version, d.own, old.own as was_own
),
nights as (
    insert into booking_engine.availability (hotel_id, room_type_id, date, sellable, occupied, version)
    select m.hotel_id, m.id::int, n.date, n.sellable, n.occupied, m.version
    from moved m
    cross join unnest(%(dates)s::date[], %(sellable)s::int[], %(occupied)s::int[]) as n (date, sellable, occupied)
    on conflict (hotel_id, room_type_id, date) do update
        set sellable = excluded.sellable, occupied = excluded.occupied, version = excluded.version
),
{marks}
select count(*) from moved

-- name: write_many
-- `count` bookings of one hotel that differ only in their ids, from the `first` on.
with moved as (
    insert into booking_engine.document (kind, hotel_id, id, version, born, body, ends, committed_at)
    select 'booking', %(hotel)s, i.id, v.version, v.version,
        %(body)s::jsonb || jsonb_build_object('hotel_id', %(hotel)s::int, 'booking_id', i.id),
        (%(body)s::jsonb ->> 'check_out')::date, clock_timestamp()
    from generate_series(%(first)s::int, %(first)s::int + %(count)s::int - 1) as n
    cross join lateral (select md5(n::text)::uuid::text as id) i
    cross join lateral booking_engine.next_version(0) as v (version)
    returning kind, hotel_id, id, 0 as old_version, version, own, false as was_own
),
{marks}
select count(*) from moved
