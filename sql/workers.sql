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
-- the way. No index knows tokens, which would cost every claim. It waits for the first alone, while it holds none: who writes
-- documents would lose against it. Tells where the page ended, and how many were locked by others or not there any more.
with page as (
    select b.kind, b.hotel_id, b.id, b.token
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s and (b.kind, b.hotel_id, b.id) > (%(kind)s, %(hotel)s, %(id)s)
    order by b.kind, b.hotel_id, b.id
    limit %(size)s
),
lost as materialized (
    select * from page where token = any(%(tokens)s::uuid[]) order by kind, hotel_id, id
),
locked as (
    select b.row
    from (select * from lost limit 1) r
    cross join lateral ({sent} for update) b
    union all
    select b.row
    from (select * from lost offset 1) r
    cross join lateral ({sent} for update skip locked) b
),
given as (
    update booking_engine.behind b
    set token = null, worker = null, again = false
    from locked
    where b.ctid = locked.row
    returning 1
)
select kind, hotel_id, id, (select count(*) from lost) - (select count(*) from given)
from page
order by kind desc, hotel_id desc, id desc
limit 1
