A long past and a long queue, made by statements on sets.

-- name: prepare
-- What is not written to the log is written in half the time, and read all the same.
alter table booking_engine.behind set unlogged;
alter table booking_engine.document set unlogged;
alter table booking_engine.behind set (autovacuum_enabled = off);
alter table booking_engine.document set (autovacuum_enabled = off)

-- name: documents
-- Of 50 hotels, in the order of their keys.
insert into booking_engine.document (kind, hotel_id, id, version, born, body, ends, committed_at)
select 'booking', 1 + (n - 1) / (%(many)s::int / 50), lpad(to_hex(n), 32, '0')::uuid::text,
    1700000000000000 + n, 1700000000000000 + n, '{}'::jsonb, current_date + 30, now()
from generate_series(1, %(many)s::int) n
union all
select 'hotel', n, '', 1700000000000000, 1700000000000000, '{}'::jsonb, null, now() from generate_series(1, 50) n

-- name: behind
-- Of eight endpoints, each of other hotels; a tenth of the keys was refused for good, a tenth waits after an outage, and
-- the rest is due, but for the snapshots of all hotels, which stand before it.
insert into booking_engine.behind
    (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at, not_before, tries, outages, last_error)
select 1 + (n - 1) / (%(many)s::int / 8), 'booking', 1 + (n - 1) / (%(many)s::int / 50),
    lpad(to_hex(n), 32, '0')::uuid::text, 1700000000000000 + n, 0, 1700000000000000 + n,
    case n %% 10 when 0 then now() end,
    case n %% 10 when 1 then now() + interval '1 hour' end,
    case n %% 10 when 0 then 6 else 0 end,
    case n %% 10 when 1 then 1 else 0 end,
    case n %% 10 when 0 then 'refused' when 1 then 'away' end
from generate_series(1, %(many)s::int) n
union all
select e, 'snapshot', h, '0-f', 1700000000000000, 0, 1700000000000000, null, null, 0, 0, null
from generate_series(1, 8) e, generate_series(1, 50) h

-- name: attempts
-- All of them today, the newest a moment ago.
insert into booking_engine.attempt
    (at, endpoint_id, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms)
select d.day + (now() - d.day) * n / %(many)s::int, 1 + n %% 8, 'msg_' || md5(n::text), 'booking.updated', 1 + n %% 50, 1, 900,
    case n %% 10 when 0 then 'rejected' else 'delivered' end, 200, 12
from generate_series(1, %(many)s::int) n
cross join (select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as day) d
