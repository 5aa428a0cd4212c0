Daily partitions of a table, each made in a step of its own, so that nobody who writes to the table has to wait.

-- name: alone
select pg_try_advisory_lock(hashtext('roomwire partitions of ' || %(table)s))

-- name: done
select pg_advisory_unlock(hashtext('roomwire partitions of ' || %(table)s))

-- name: today
select (now() at time zone 'UTC')::date

-- name: list
-- All that were ever made, also those that a detaching which was interrupted left behind.
select c.relname, i.inhrelid is not null, coalesce(i.inhdetachpending, false)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'booking_engine'
left join pg_inherits i on i.inhrelid = c.oid
where c.relkind = 'r' and c.relname ~ ('^' || %(table)s || '_[0-9]{8}$')
order by c.relname

-- name: create
-- Attached in a step of its own: that lets others write meanwhile, `partition of` does not.
create table booking_engine.{partition} (like booking_engine.{table} including defaults)

-- name: attach
alter table booking_engine.{table}
attach partition booking_engine.{partition} for values from ({first}) to ({end})

-- name: detach
alter table booking_engine.{table} detach partition booking_engine.{partition} concurrently

-- name: finalize
alter table booking_engine.{table} detach partition booking_engine.{partition} finalize

-- name: drop
drop table booking_engine.{partition}
