The migration runner's own bookkeeping.

-- name: be_patient
-- An advisory lock is subject to lock_timeout, too; nobody of the PMS waits for this one.
set local lock_timeout = '10min'; set local statement_timeout = '10min'

-- name: lock
select pg_advisory_xact_lock(hashtext('roomwire migrate'))

-- name: be_polite
set local lock_timeout to default; set local statement_timeout to default

-- name: schema_exists
-- Asked first, because IF NOT EXISTS wants the right to create one even where it exists.
select to_regnamespace('booking_engine') is not null

-- name: create_schema
create schema booking_engine

-- name: create_table
create table if not exists booking_engine.migration (
    number int primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
)

-- name: exists
select to_regclass('booking_engine.migration') is not null

-- name: applied
select number, name, checksum from booking_engine.migration order by number

-- name: record
insert into booking_engine.migration (number, name, checksum) values (%s, %s, %s)

-- name: forget
delete from booking_engine.migration where number = %s
