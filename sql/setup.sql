What the owner of the PMS's tables does once. {braces} take identifiers and literals.
Only partition parents are addressed: a new hotel's leaves need no grant and no change of the publication.

-- name: owner
-- rds: there is Amazon's role whose members may replicate; only they themselves can give the attribute.
select current_user::text as name, rolsuper as superuser, to_regrole('rds_replication') is not null as rds
from pg_roles
where rolname = current_user

-- name: role
-- A role that is there. alterable: this session may change it; PostgreSQL 16 and later ask for the admin option, and
-- before only a superuser changes who may replicate. A superuser is changed by superusers alone.
select r.rolcanlogin as logs_in,
    r.rolreplication or r.rolsuper
        or exists (select from pg_roles rds where rds.rolname = 'rds_replication' and pg_has_role(r.oid, rds.oid, 'member'))
        as replicates,
    me.rolsuper or me.rolcreaterole and not r.rolsuper and case when current_setting('server_version_num')::int >= 160000
        then pg_has_role(r.oid, 'member with admin option') else not r.rolreplication end as alterable,
    pg_has_role(r.oid, 'usage') as mine
from pg_roles r
cross join (select * from pg_roles where rolname = current_user) me
where r.rolname = %(role)s

-- name: strangers
-- Those of the tables that this session may not give rights on, and whose they are.
select c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner
from unnest(%(tables)s::text[]) t
join pg_class c on c.oid = to_regclass('public.' || quote_ident(t))
where not pg_has_role(c.relowner, 'usage')
order by c.relname

-- name: doors
-- The rights without which a role sees no table: whether it has each, if only as everybody, and whether this session may
-- give it.
select door.*
from (select coalesce((select rolname from pg_roles where rolname = %(role)s), 'public') as who) one
cross join lateral (
    values
        ('connect', has_database_privilege(who, current_database(), 'connect'),
            has_database_privilege(current_database(), 'connect with grant option')),
        ('usage', has_schema_privilege(who, 'public', 'usage'), has_schema_privilege('public', 'usage with grant option'))
) door

-- name: schema_owner
-- Whose our schema is, and whether this role may do there what an owner may.
select pg_get_userbyid(n.nspowner)::text, coalesce(pg_has_role(r.oid, n.nspowner, 'usage'), false)
from pg_namespace n
left join pg_roles r on r.rolname = %(role)s
where n.nspname = 'booking_engine'

-- name: create_capture
create role {role} login replication

-- name: alter_capture
alter role {role} login replication

-- name: create_role
create role {role} login

-- name: let_replicate
grant rds_replication to {role}

-- name: join
grant {capture} to {owner}

-- name: leave
revoke {capture} from {owner}

-- name: password
alter role {role} password {password}

-- name: connect
grant connect on database {database} to {role}

-- name: schema
create schema if not exists booking_engine authorization {capture}

-- name: schema_usage
grant usage on schema booking_engine to {writer}

-- name: usage
grant usage on schema public to {role}

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
select pubname from pg_publication where pubname = %(publication)s

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
