Workers: who delivers, and until when others wait for him.

-- name: renew
-- Tells what time it is, what no crash of the server outlives, and which others live, with what their sends keep
-- to. What others left long ago is cleared away.
with gone as (
    delete from booking_engine.worker where until < now() - interval '1 minute' and id <> %(worker)s
),
known as (
    select id from booking_engine.fence where one
),
made as (
    insert into booking_engine.fence (one)
    select true where not exists (select from known)
    on conflict (one) do update set id = fence.id
    returning id
)
insert into booking_engine.worker (id, name, until, kept_at)
values (%(worker)s, %(name)s, clock_timestamp() + %(lease)s * interval '1 s', %(kept)s)
on conflict (id) do update set until = excluded.until, kept_at = excluded.kept_at
returning now(), coalesce((select id from known), (select id from made)),
    array(
        select w.id from booking_engine.worker w
        where w.until > now() and w.id <> %(worker)s order by w.id),
    array(
        select w.kept_at from booking_engine.worker w
        where w.until > now() and w.id <> %(worker)s order by w.id)

-- name: leave
delete from booking_engine.worker where id = %(worker)s

-- name: forget
-- Gives back, of a page of what an endpoint is behind on, what was claimed though nobody was told: the connection was lost on
-- the way. No index knows tokens, which would cost every claim. Tells where the page ended.
with page as (
    select b.kind, b.hotel_id, b.id, b.token
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s and (b.kind, b.hotel_id, b.id) > (%(kind)s, %(hotel)s, %(id)s)
    order by b.kind, b.hotel_id, b.id
    limit %(size)s
),
lost as (
    select b.row
    from page p
    cross join lateral (
        select b.ctid as row
        from booking_engine.behind b
        where b.endpoint_id = %(endpoint)s and b.kind = p.kind and b.hotel_id = p.hotel_id and b.id = p.id
            and b.token = p.token
        for update
    ) b
    where p.token = any(%(tokens)s::uuid[])
),
given as (
    update booking_engine.behind b
    set token = null, worker = null, again = false
    from lost
    where b.ctid = lost.row
)
select kind, hotel_id, id from page order by kind desc, hotel_id desc, id desc limit 1
