Which tables the PMS has.

-- name: leaves
-- The leaf partitions of the wanted tables, with their roots.
select n.nspname, c.relname, pg_partition_root(c.oid)::regclass::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relispartition and c.relkind = 'r'
    and pg_partition_root(c.oid) = any(select to_regclass('public.' || t) from unnest(%(tables)s::text[]) t)

-- name: noise
-- Every table whose changes mean nothing to a booking engine: neither wanted nor a leaf of one.
select n.nspname, c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
    and coalesce(pg_partition_root(c.oid), c.oid)
        <> all(select to_regclass('public.' || t)::oid from unnest(%(tables)s::text[]) t
            where to_regclass('public.' || t) is not null)

-- name: hotels
select id from hotels

-- name: today
-- The day it is in the hotels' time zone.
select (clock_timestamp() at time zone %(time_zone)s)::date
