What the owner of the PMS's tables does once. {braces} take identifiers and literals.
Only partition parents are addressed: a new hotel's leaves need no grant and no change of the publication.

-- name: role_exists
select exists (select from pg_roles where rolname = %(role)s)

-- name: create_capture
create role {role} login replication

-- name: alter_capture
alter role {role} login replication

-- name: password
alter role {role} password {password}

-- name: create_writer
create role {role} login

-- name: connect
grant connect on database {database} to {capture}, {writer}

-- name: schema
create schema if not exists booking_engine authorization {capture}

-- name: schema_usage
grant usage on schema booking_engine to {writer}

-- name: usage
grant usage on schema public to {capture}, {writer}

-- name: read
grant select on {tables} to {capture}, {writer}

-- name: present
-- Those of the tables that there are.
select t from unnest(%(tables)s::text[]) t where to_regclass('public.' || quote_ident(t)) is not null

-- name: sequences
-- What numbers the rows of these tables.
select s.relname
from pg_depend d
join pg_class s on s.oid = d.objid and s.relkind = 'S' and s.relnamespace = 'public'::regnamespace
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    and d.refobjid in (select to_regclass('public.' || quote_ident(t)) from unnest(%(tables)s::text[]) t)
order by s.relname

-- name: grant_table
grant {privileges} on {table} to {writer}

-- name: grant_sequence
grant usage on sequence {sequence} to {writer}

-- name: publication_exists
select exists (select from pg_publication where pubname = %(publication)s)

-- name: create_publication
create publication {publication} for table {tables} with (publish_via_partition_root = true)

-- name: alter_publication
alter publication {publication} set table {tables}

-- name: publish_roots
alter publication {publication} set (publish_via_partition_root = true)

-- name: our_tables
grant select, insert, update, delete on all tables in schema booking_engine to {writer}

-- name: our_new_tables
alter default privileges in schema booking_engine grant select, insert, update, delete on tables to {writer}

-- name: keys_are_read
revoke insert, update, delete on booking_engine.api_keys from {writer}

-- name: keys_are_used
grant update (last_used_at) on booking_engine.api_keys to {writer}
